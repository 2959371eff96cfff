#include "cli/selection.hpp"

#include <weighbridge/convert.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/text.hpp>

#include <fmt/format.h>

namespace weighbridge::cli {
namespace {

struct Request {
  const TensorEntry* entry = nullptr;
  std::string slice;
};

[[noreturn]] void throw_not_found(const std::string& tensor) {
  throw Error(ErrorCode::TensorNotFound,
              fmt::format("no tensor is named '{}'; 'weighbridge ls' lists the names", printable(tensor)),
              tensor);
}

Request find_request(const Checkpoint& checkpoint, const std::string& tensor) {
  if (const TensorEntry* exact = checkpoint.find(tensor)) return {exact, ""};
  const std::size_t bracket = tensor.rfind('[');
  if (bracket != std::string::npos && tensor.ends_with(']')) {
    if (const TensorEntry* entry = checkpoint.find(tensor.substr(0, bracket)))
      return {entry, tensor.substr(bracket)};
  }
  throw_not_found(tensor);
}

std::vector<SliceIndex> read_slice(const Request& request, const std::optional<std::string>& slice) {
  if (slice && !request.slice.empty()) {
    throw Error(ErrorCode::InvalidArgument, "a slice is given twice: behind the name and with --slice");
  }
  if (slice) return parse_slice(*slice);
  return request.slice.empty() ? std::vector<SliceIndex>() : parse_slice(request.slice);
}

Selection select_tensor(const Checkpoint& checkpoint, const std::string& tensor,
                        const std::optional<std::string>& slice) {
  const Request request = find_request(checkpoint, tensor);
  const TensorSpec& spec = request.entry->spec;
  const TensorData& data = request.entry->data;
  SlicePlan plan = plan_slice(spec.dtype, spec.shape, read_slice(request, slice), data.strides);
  plan.runs.offset += data.offset;
  return {.name = spec.name,
          .dtype = spec.dtype,
          .shape = std::move(plan.shape),
          .source = data.source,
          .runs = std::move(plan.runs),
          .transform = data.transform};
}

}  // namespace

void add_request(CLI::App& app, Input& input, TensorRequest& request) {
  add_file(app, input.file, "FILE", "A safetensors file or a PyTorch checkpoint, told apart by content.");
  add_file(app, request.tensor, "TENSOR",
           "Name of the tensor; a slice may follow in brackets, as in 'embed[0:10]'.");
  add_key(app, input.key);
  add_policies(app, input.open);
  add_value(app, "--slice", request.slice, "SLICE",
            "Part of the tensor in numpy's basic indexing, e.g. '0, 1:5, ...'.");
  add_allow_dangerous(app, request.allow_dangerous);
}

Selection open_selection(const Input& input, const TensorRequest& request, WorkerFiles& files) {
  const Checkpoint checkpoint = open_input(input, files);
  if (!request.allow_dangerous) refuse_dangerous(checkpoint.findings);
  return select_tensor(checkpoint, request.tensor, request.slice);
}

}  // namespace weighbridge::cli
