#include <weighbridge/safetensors_file.hpp>

#include <fmt/format.h>

#include "capi/capi_error.hpp"

struct wb_file {
  weighbridge::SafetensorsFile file;
};

namespace {

using weighbridge::Error;
using weighbridge::ErrorCode;
using weighbridge::TensorView;
using weighbridge::capi::guard;
using weighbridge::capi::to_c;

wb_tensor to_c_tensor(const TensorView& view) {
  return {.name = to_c(view.name),
          .dtype = to_c(weighbridge::dtype_name(view.dtype)),
          .shape = view.shape.data(),
          .rank = view.shape.size(),
          .data = view.bytes.data(),
          .bytes = view.bytes.size()};
}

}  // namespace

extern "C" {

wb_status wb_open(const char* path, wb_file** file, wb_error** error) {
  *file = nullptr;
  // Mapped on every file system: the data pointers of this interface need it.
  return guard(error, [&] {
    *file = new wb_file{weighbridge::SafetensorsFile::open(path, weighbridge::ReadMode::Mapped)};
  });
}

void wb_close(wb_file* file) { delete file; }

size_t wb_tensor_count(const wb_file* file) { return file->file.header().size(); }

wb_status wb_tensor_at(const wb_file* file, size_t i, wb_tensor* tensor, wb_error** error) {
  return guard(error, [&] {
    const weighbridge::Header& header = file->file.header();
    if (i >= header.size()) {
      throw Error(ErrorCode::InvalidArgument, fmt::format("tensor {} of {}", i, header.size()));
    }
    *tensor = to_c_tensor(file->file.view(header[i].name));
  });
}

wb_status wb_tensor_find(const wb_file* file, const char* name, size_t name_size, wb_tensor* tensor,
                         wb_error** error) {
  return guard(error, [&] { *tensor = to_c_tensor(file->file.view({name, name_size})); });
}

size_t wb_metadata_count(const wb_file* file) { return file->file.header().metadata_size(); }

void wb_metadata_at(const wb_file* file, size_t i, wb_str* key, wb_str* value) {
  const auto [k, v] = file->file.header().metadata_at(i);
  *key = to_c(k);
  *value = to_c(v);
}

}  // extern "C"
