#include "formats/safetensors/read.hpp"

#include <array>
#include <string_view>

#include <weighbridge/header.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/key.hpp"

namespace weighbridge::safetensors {
namespace {

constexpr std::uint64_t kLargestHeader = 100'000'000;

void check_tensor_count(const Header& header, const Limits& limits) {
  if (header.size() <= limits.tensors) return;
  throw Error(ErrorCode::LimitExceeded,
              fmt::format("the file has {} tensors, the limit is {}", header.size(), limits.tensors));
}

TensorEntry make_entry(const TensorInfo& tensor, std::string_view name, const SourcePtr& source,
                       std::uint64_t data_begin) {
  return {.spec = {.name = std::string(name),
                   .dtype = tensor.dtype,
                   .shape = {tensor.shape.begin(), tensor.shape.end()}},
          .data = {.source = source, .offset = data_begin + tensor.begin, .strides = {}}};
}

}  // namespace

bool looks_like(const ByteSource& source) {
  std::array<std::byte, 9> first{};
  if (source.size() < first.size()) return false;
  source.read_at(0, first);
  const auto length = load_le<std::uint64_t>(first.data());
  return length >= 2 && length <= kLargestHeader && first[8] == std::byte{'{'};
}

Checkpoint read(SourcePtr source, const OpenOptions& options) {
  const Header header = read_header(*source, options.limits);
  check_tensor_count(header, options.limits);
  const std::string key = options.key.value_or(std::string(kWholeFile));

  Checkpoint checkpoint;
  checkpoint.format = "safetensors";
  checkpoint.root = key;
  checkpoint.source_bytes = source->size();
  if (header.has_metadata()) checkpoint.metadata = header.metadata();
  for (std::size_t i = 0; i < header.size(); ++i) {
    const TensorInfo tensor = header[i];
    if (const auto name = select_name(tensor.name, key)) {
      checkpoint.tensors.push_back(make_entry(tensor, *name, source, header.data_begin()));
    }
  }
  if (checkpoint.tensors.empty() && key != kWholeFile) {
    throw Error(ErrorCode::NoTensors,
                fmt::format("no tensor is named '{0}' or starts with '{0}.'", printable(key)), key);
  }
  checkpoint.candidates.push_back({key, checkpoint.tensors.size()});
  return checkpoint;
}

}  // namespace weighbridge::safetensors
