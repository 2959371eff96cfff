#include "formats/numpy/write.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/endian.hpp"
#include "base/text.hpp"
#include "formats/zip/layout.hpp"

namespace weighbridge::numpy {
namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
constexpr std::string_view kSuffix = ".npy";

struct Row {
  DType dtype;
  std::string_view descr;
};

constexpr std::array kRows = {
    Row{DType::BOOL, "|b1"}, Row{DType::U8, "|u1"},  Row{DType::I8, "|i1"},   Row{DType::I16, "<i2"},
    Row{DType::U16, "<u2"},  Row{DType::F16, "<f2"}, Row{DType::BF16, "<V2"}, Row{DType::I32, "<i4"},
    Row{DType::U32, "<u4"},  Row{DType::F32, "<f4"}, Row{DType::C64, "<c8"},  Row{DType::F64, "<f8"},
    Row{DType::I64, "<i8"},  Row{DType::U64, "<u8"},
};

std::string tuple_text(const Shape& shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

CopyStep step_of(const TensorEntry& tensor) {
  return {.name = tensor.spec.name,
          .source = tensor.data.source,
          .runs = tensor_runs(tensor),
          .transform = tensor.data.transform};
}

[[noreturn]] void refuse(const std::string& name, std::string_view why) {
  throw Error(ErrorCode::Unsupported,
              fmt::format("tensor '{}' cannot be an entry of an .npz file: {}", printable(name), why), name);
}

/// Entry names are paths to zip, end at a NUL for Python, and numpy knows each array by two names.
void check_names(std::span<const TensorEntry> tensors) {
  std::set<std::string_view> names;
  for (const TensorEntry& tensor : tensors) names.insert(tensor.spec.name);
  for (const TensorEntry& tensor : tensors) {
    const std::string& name = tensor.spec.name;
    if (name.find('\\') != std::string::npos) refuse(name, "the name holds a backslash");
    if (name.find('\0') != std::string::npos) refuse(name, "the name holds a NUL byte");
    if (name.size() + kSuffix.size() > UINT16_MAX) refuse(name, "the name is longer than 65531 bytes");
    if (!names.contains(name + std::string(kSuffix))) continue;
    refuse(name, fmt::format("numpy cannot tell it from '{}{}'", printable(name), kSuffix));
  }
}

}  // namespace

std::string_view find_descr(DType dtype) noexcept {
  const auto found = std::ranges::find(kRows, dtype, &Row::dtype);
  return found == kRows.end() ? std::string_view() : found->descr;
}

std::string serialize_npy_head(DType dtype, const Shape& shape) {
  std::string dict = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                 find_descr(dtype), tuple_text(shape));
  const std::size_t unpadded = kMagic.size() + 2 + dict.size() + 1;
  dict.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dict.push_back('\n');
  std::array<char, 2> length{};
  store_le(length.data(), static_cast<std::uint16_t>(dict.size()));
  std::string head(kMagic);
  head.append(length.data(), length.size());
  return head + dict;
}

FilePlan plan_npy(const TensorEntry& tensor) {
  FilePlan plan{.head = serialize_npy_head(tensor.spec.dtype, tensor.spec.shape), .steps = {}};
  CopyStep step = step_of(tensor);
  step.destination = plan.head.size();
  plan.total_bytes = plan.head.size() + step.runs.total_bytes;
  if (step.runs.total_bytes > 0) plan.steps.push_back(std::move(step));
  return plan;
}

FilePlan plan_npz(std::span<const TensorEntry> tensors) {
  check_names(tensors);
  std::vector<zip::NewEntry> entries;
  entries.reserve(tensors.size());
  for (const TensorEntry& tensor : tensors) {
    entries.push_back({.name = tensor.spec.name + std::string(kSuffix),
                       .head = serialize_npy_head(tensor.spec.dtype, tensor.spec.shape),
                       .content = step_of(tensor)});
  }
  return zip::plan_stored_archive(std::move(entries), kAlignment);
}

}  // namespace weighbridge::numpy
