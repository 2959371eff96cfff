#include <algorithm>
#include <cstring>

#include <weighbridge/convert.hpp>

#include "capi/capi_error.hpp"

namespace {

using namespace weighbridge;
using capi::from_c;
using capi::guard;

// The caller's options as this version knows them: fields that an older caller lacks are zero.
template <typename Options>
Options complete(const Options* given) {
  Options options = {};
  if (given != nullptr) std::memcpy(&options, given, std::min(sizeof options, given->struct_size));
  return options;
}

TensorView to_view(const wb_tensor& tensor) {
  const auto dtype = find_dtype(from_c(tensor.dtype));
  if (!dtype) {
    throw Error(ErrorCode::InvalidArgument, "no dtype is called '" + std::string(from_c(tensor.dtype)) + "'",
                std::string(from_c(tensor.name)));
  }
  return {.name = from_c(tensor.name),
          .dtype = *dtype,
          .shape = {tensor.shape, tensor.rank},
          .bytes = {static_cast<const std::byte*>(tensor.data), tensor.bytes}};
}

std::optional<Metadata> to_metadata(const wb_save_options& options) {
  if (options.metadata == nullptr) return std::nullopt;
  Metadata metadata;
  for (const wb_pair& pair : std::span(options.metadata, options.metadata_count)) {
    metadata.emplace(from_c(pair.key), from_c(pair.value));
  }
  return metadata;
}

}  // namespace

extern "C" {

wb_status wb_save(const char* path, const wb_tensor* tensors, size_t count, const wb_save_options* options,
                  wb_error** error) {
  return guard(error, [&] {
    const wb_save_options chosen = complete(options);
    std::vector<TensorView> views;
    for (const wb_tensor& tensor : std::span(tensors, count)) views.push_back(to_view(tensor));
    HeaderStyle style;
    if (chosen.alignment != 0) style.alignment = chosen.alignment;
    WriteOptions write;
    write.overwrite = chosen.overwrite != 0;
    save_tensors(views, path, to_metadata(chosen), style, write);
  });
}

wb_status wb_convert(const char* input, const char* output, const wb_convert_options* options,
                     wb_error** error) {
  return guard(error, [&] {
    const wb_convert_options chosen = complete(options);
    ConvertOptions convert_options;
    convert_options.write.overwrite = chosen.overwrite != 0;
    convert_options.write.verify = chosen.no_verify == 0;
    convert_options.allow_dangerous = chosen.allow_dangerous != 0;
    convert_options.sidecar = chosen.sidecar != 0;
    if (chosen.copy_shared != 0) convert_options.shared = SharedPolicy::Copy;
    if (chosen.key != nullptr) convert_options.open.key = chosen.key;
    convert(input, output, convert_options);
  });
}

}  // extern "C"
