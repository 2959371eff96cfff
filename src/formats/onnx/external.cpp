#include "formats/onnx/external.hpp"

#include <algorithm>
#include <cerrno>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/safetensors/read.hpp"

namespace weighbridge::onnx {
namespace {

constexpr std::string_view kMemoryTag = "_ORT_MEM_ADDR_";

/// "./model.data" is "model.data".
std::string_view plain_location(std::string_view location) {
  while (location.starts_with("./")) {
    location.remove_prefix(2);
    location.remove_prefix(std::min(location.find_first_not_of('/'), location.size()));
  }
  return location;
}

bool goes_up(std::string_view location) {
  while (!location.empty()) {
    const std::size_t end = std::min(location.find_first_of("/\\"), location.size());
    if (location.substr(0, end) == "..") return true;
    location.remove_prefix(std::min(end + 1, location.size()));
  }
  return false;
}

bool is_absolute(std::string_view location) {
  return location.front() == '/' || location.front() == '\\' || (location.size() > 1 && location[1] == ':') ||
         location.find("://") != std::string_view::npos;
}

/// Links are refused, as onnx itself refuses them: what they lead to is not the model's.
SourcePtr find_file(const InputFolder& folder, const TensorProto& tensor, const std::string& name) {
  try {
    return folder.find(name);
  } catch (const Error& error) {
    if (error.system_error() != ELOOP) throw;
    throw Error(
        ErrorCode::IoError,
        fmt::format("{}: its data is in '{}', which is a symbolic link and not followed; of a model in a "
                    "download cache make a copy with its data: cp -rL",
                    tensor_text(tensor), printable(name)),
        tensor.name);
  }
}

}  // namespace

LocationFault judge_location(std::string_view location) noexcept {
  if (location.empty()) return LocationFault::Empty;
  if (location.find(kMemoryTag) != std::string_view::npos) return LocationFault::Memory;
  if (is_absolute(location) || goes_up(location)) return LocationFault::Escapes;
  const std::string_view plain = plain_location(location);
  if (plain.find_first_of("/\\") != std::string_view::npos) return LocationFault::Subfolder;
  return is_plain_file_name(plain) ? LocationFault::None : LocationFault::Empty;
}

std::string_view fault_text(LocationFault fault) noexcept {
  switch (fault) {
    case LocationFault::None:
      break;
    case LocationFault::Empty:
      return "is not the name of a file";
    case LocationFault::Subfolder:
      return "is in another folder than the model, which is not read; put the file beside the model";
    case LocationFault::Escapes:
      return "leads out of the folder of the model";
    case LocationFault::Memory:
      return "is an address in the memory of onnxruntime, which no file can mean";
  }
  return {};
}

ExternalFiles::File& ExternalFiles::open(const TensorProto& tensor, const std::string& name) {
  const auto known = files_.find(name);
  if (known != files_.end()) return known->second;
  if (options_.folder == nullptr) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: its data is in '{}', and files beside the input cannot be opened from here",
                            tensor_text(tensor), printable(name)),
                tensor.name);
  }
  File file{.source = find_file(*options_.folder, tensor, name), .header = {}, .tensors = {}};
  if (file.source == nullptr) {
    refuse_tensor(tensor, fmt::format("its data is in '{}', which is not beside the model", printable(name)));
  }
  total_bytes_ += file.source->size();
  if (safetensors::looks_like(*file.source)) {
    file.header = read_header(*file.source, options_.limits);
    const std::uint64_t data = file.header->data_begin();
    for (std::size_t i = 0; i < file.header->size(); ++i) {
      const TensorInfo info = (*file.header)[i];
      if (info.begin < info.end) file.tensors.emplace(data + info.begin, data + info.end);
    }
  }
  return files_.emplace(name, std::move(file)).first->second;
}

TensorData ExternalFiles::find(const TensorProto& tensor, std::uint64_t bytes) {
  const External& external = *tensor.external;
  if (const LocationFault fault = judge_location(external.location); fault != LocationFault::None) {
    throw Error(fault == LocationFault::Subfolder ? ErrorCode::Unsupported : ErrorCode::MalformedCheckpoint,
                fmt::format("{}: its external location '{}' {}", tensor_text(tensor),
                            printable(external.location), fault_text(fault)),
                tensor.name, tensor.message.begin);
  }
  note_odd(tensor);
  const std::string name(plain_location(external.location));
  const File& file = open(tensor, name);
  const std::uint64_t offset = external.offset.value_or(0);
  if (external.length.value_or(0) != 0 && *external.length != bytes) {
    refuse_tensor(tensor, fmt::format("external_data has {} bytes for it, its shape {} needs {}",
                                      *external.length, shape_text(tensor.dims), bytes));
  }
  if (!range_fits(offset, bytes, file.source->size())) {
    refuse_tensor(tensor, fmt::format("its {} bytes from byte {} on reach beyond the {} bytes of '{}'", bytes,
                                      offset, file.source->size(), printable(name)));
  }
  check_place(tensor, file, offset, bytes);
  return {.source = file.source, .offset = offset};
}

/// In a safetensors file a tensor has to be where the file has one: it may have been edited since.
void ExternalFiles::check_place(const TensorProto& tensor, const File& file, std::uint64_t offset,
                                std::uint64_t bytes) {
  if (!file.header || bytes == 0) return;
  const auto at = file.tensors.find(offset);
  if (at != file.tensors.end() && at->second == offset + bytes) return;
  if (moved_++ == 0) first_moved_ = tensor.name;
}

void ExternalFiles::note_odd(const TensorProto& tensor) {
  const External& external = *tensor.external;
  if (external.has_checksum) ++checksums_;
  if (!external.ignored.empty() && ignored_++ == 0) first_ignored_ = external.ignored.front();
}

Findings ExternalFiles::take_findings() {
  Findings findings;
  if (moved_ > 0) {
    findings.push_back(
        {.severity = Severity::Error,
         .code = "ExternalDataMoved",
         .message = fmt::format("{} tensors point to bytes of a safetensors file that are no tensor "
                                "of it ('{}'); it was changed after the model was written",
                                moved_, printable(first_moved_)),
         .subject = first_moved_});
  }
  if (checksums_ > 0) {
    findings.push_back({.severity = Severity::Info,
                        .code = "ChecksumNotChecked",
                        .message = fmt::format("{} tensors have the SHA-1 of the file that holds their data, "
                                               "which no runtime looks at; it was not checked",
                                               checksums_),
                        .subject = {}});
  }
  if (ignored_ > 0) {
    findings.push_back(
        {.severity = Severity::Warning,
         .code = "ExternalDataKeys",
         .message = fmt::format("{} tensors have external_data of unknown meaning ('{}'), which is "
                                "ignored",
                                ignored_, printable(first_ignored_)),
         .subject = {}});
  }
  moved_ = checksums_ = ignored_ = 0;
  return findings;
}

}  // namespace weighbridge::onnx
