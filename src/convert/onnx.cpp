// Models of ONNX: one that is filled with the tensors of a checkpoint, alone or beside a safetensors file
// that holds them.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "convert/lacking.hpp"
#include "convert/outputs.hpp"
#include "formats/onnx/fill.hpp"
#include "formats/onnx/read.hpp"

namespace weighbridge {
namespace {

constexpr std::uint32_t kDataAlignment = 4096;  // of a page: what onnxruntime can map
constexpr std::string_view kSafetensors = ".safetensors";

OutputFile plan_data_file(const Checkpoint& checkpoint, const std::string& output,
                          const ConvertOptions& options) {
  if (output.ends_with(kSafetensors)) {
    throw Error(
        ErrorCode::InvalidArgument,
        fmt::format("'{}' is the name for the data; the model beside it is called .onnx", printable(output)));
  }
  HeaderStyle style = options.style;
  style.alignment = std::max(style.alignment, kDataAlignment);
  return {.name = onnx_data_file_name(output),
          .plan = plan_safetensors(checkpoint, style, options.open.limits)};
}

Header header_of(const FilePlan& plan) {
  return parse_header(std::as_bytes(std::span(plan.head)), plan.total_bytes);
}

}  // namespace

std::string onnx_data_file_name(std::string_view output) {
  constexpr std::string_view kModel = ".onnx";
  if (output.ends_with(kModel)) output.remove_suffix(kModel.size());
  return fmt::format("{}{}", output, kSafetensors);
}

std::vector<OutputFile> plan_onnx_files(Checkpoint& checkpoint, const std::string& output,
                                        const ConvertOptions& options) {
  if (options.template_file == nullptr || !onnx::looks_like_model(*options.template_file)) {
    throw Error(ErrorCode::InvalidArgument,
                "an ONNX file is made from one: the input, or one that is given as the template");
  }
  onnx::FillOptions fill{.open = options.open, .outside = nullptr, .is_own = options.template_is_input};
  if (options.template_folder != nullptr) fill.open.folder = options.template_folder;
  if (!options.external_data && !options.template_is_input) {
    report_lost_metadata(checkpoint, "the model",
                         [](std::string_view key) { return key == onnx::kRestated; });
  }
  std::vector<OutputFile> files;
  std::optional<onnx::DataFile> data;
  if (options.external_data) {
    files.push_back(plan_data_file(checkpoint, output, options));
    data.emplace(onnx::DataFile{.name = files.front().name,
                                .header = header_of(files.front().plan),
                                .inline_below = options.inline_below});
    fill.outside = &*data;
  }
  files.insert(files.begin(),
               {.name = output, .plan = onnx::plan_filled(options.template_file, checkpoint, fill)});
  return files;
}

}  // namespace weighbridge
