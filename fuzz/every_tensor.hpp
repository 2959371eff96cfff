// What the targets share that read a whole file by one reader: tight bounds, and a read of every tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::fuzz {

inline constexpr std::uint64_t kMostBytes = 1 << 16;

inline OpenOptions small_options() {
  OpenOptions options;
  options.limits.pickle_nodes = 20'000;
  options.limits.tensors = 10'000;
  options.limits.name_bytes = 1024;
  options.limits.walk_depth = 64;
  options.split_complex = true;
  return options;
}

template <typename Reader>
std::optional<Checkpoint> read_structure(std::string bytes, const Reader& reader) {
  const auto options = small_options();
  try {
    auto checkpoint = reader(memory_source(Buffer::take(std::move(bytes))), options);
    if (checkpoint.extras) std::ignore = checkpoint.extras->to_json(options.limits);
    return checkpoint;
  } catch (const Error&) {
    return std::nullopt;  // Refusing is an answer.
  }
}

inline void read_tensor(const TensorEntry& entry) {
  const ByteRuns runs = tensor_runs(entry);
  if (runs.total_bytes > kMostBytes) return;
  std::vector<std::byte> content(runs.total_bytes);
  read_runs(*entry.data.source, runs, entry.data.transform, 0, content);
}

/// Reads `bytes` by `reader(source, options)`. What was accepted can be read: an error from there on is a
/// fault.
template <typename Reader>
void read_every_tensor(std::string bytes, const Reader& reader) {
  const auto checkpoint = read_structure(std::move(bytes), reader);
  if (!checkpoint) return;
  for (const auto& tensor : checkpoint->tensors) read_tensor(tensor);
}

}  // namespace weighbridge::fuzz
