#include <algorithm>
#include <cerrno>

#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "cli/help.hpp"
#include "cli/options.hpp"
#include "cli/selection.hpp"
#include "cli/terminal.hpp"
#include "cli/worker.hpp"

namespace weighbridge::cli {
namespace {

constexpr const char* kPurpose =
    "Writes the bytes of a tensor to standard output. The whole tensor or a slice of it: raw, little-endian, "
    "row-major. Only the bytes that are asked for are read.";

struct Options {
  Input input;
  TensorRequest request;
  bool force = false;
};

void declare(CLI::App& app, Options& options) {
  add_request(app, options.input, options.request);
  add_flag(app, "-f,--force", options.force, "Write even to a terminal.");
  add_examples(app,
               {{"The first row, as numbers", "weighbridge cat model.pt 'embed.weight[0]' | od -An -tf4"},
                {"Compare a tensor of two files",
                 "cmp <(weighbridge cat a.pt w) <(weighbridge cat b.safetensors w)"}});
}

// Neither a position nor an earlier content of the stream is disturbed, unlike with write_descriptor.
void copy_to_stdout(const Selection& selection) {
  constexpr std::uint64_t kPiece = 1 << 20;
  std::vector<std::byte> buffer(std::min(kPiece, selection.runs.total_bytes));
  for (std::uint64_t at = 0; at < selection.runs.total_bytes; at += buffer.size()) {
    buffer.resize(std::min(kPiece, selection.runs.total_bytes - at));
    read_runs(*selection.source, selection.runs, selection.transform, at, buffer);
    if (std::fwrite(buffer.data(), 1, buffer.size(), stdout) != buffer.size()) {
      throw Error::from_errno(errno, "write", "standard output");
    }
  }
}

WorkerOptions prepare(const Options& options) {
  if (!options.force) refuse_terminal("send it to a file or a pipe, or use --force");
  return worker_for(options.input);
}

int execute(const Options& options, WorkerFiles& files) {
  copy_to_stdout(open_selection(options.input, options.request, files));
  return kOk;
}

}  // namespace

void add_cat(CLI::App& app, Invocation& invocation) {
  add_worker_verb<Options>(app, invocation, "cat", kPurpose, declare, prepare, execute);
}

}  // namespace weighbridge::cli
