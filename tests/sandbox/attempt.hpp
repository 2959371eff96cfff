// Attempts of a worker at what it must not do, under some of the layers alone.
#pragma once

#include <cerrno>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "sandbox/run.hpp"

namespace weighbridge::sandbox::test {

/// 0 when it succeeded, otherwise errno.
using Attempt = std::function<int()>;

/// What `call` gave, as an Attempt says it.
inline int outcome(long call) { return call < 0 ? errno : 0; }

/// The test cannot be made on this system.
struct NotHere : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Makes the attempt in a worker that has given up only `layers`. Throws NotHere when one does not hold.
inline WorkerResult attempt_under(LayerSet layers, const Attempt& attempt,
                                  const WorkerOptions& options = {}) {
  const WorkerResult result =
      run_isolated(options, layers, [&](WorkerFiles& files, const LayerReport& report) {
        for (const SandboxLayer& layer : report) {
          if (!layer.held) files.put_result(layer.name + ": " + layer.detail);
        }
        return attempt();
      });
  if (!result.bytes.empty()) throw NotHere(result.bytes);
  return result;
}

/// Runs the body of a test; a layer that this kernel lacks is a skip with its reason, never a success.
#define WB_SKIP_WITHOUT_LAYER(body)                          \
  try {                                                      \
    body                                                     \
  } catch (const ::weighbridge::sandbox::test::NotHere& e) { \
    GTEST_SKIP() << e.what();                                \
  }

/// The attempt succeeds without any layer and fails with `error` under these.
inline void expect_error(LayerSet layers, const Attempt& attempt, int error) {
  const WorkerResult free = attempt_under({}, attempt);
  if (free.exit_code != 0)
    throw NotHere(std::string("fails without any layer: ") + std::strerror(free.exit_code));
  ASSERT_EQ(free.signal, 0);
  const WorkerResult held = attempt_under(layers, attempt);
  EXPECT_EQ(held.signal, 0);
  EXPECT_EQ(held.exit_code, error) << std::strerror(held.exit_code);
}

}  // namespace weighbridge::sandbox::test
