#include "core/header_check.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge {
namespace {

// Multiplies from left to right, as the reference does.
std::optional<std::uint64_t> bit_count(DType dtype, std::span<const std::uint64_t> shape) noexcept {
  std::uint64_t product = 1;
  for (const std::uint64_t size : shape) {
    if (__builtin_mul_overflow(product, size, &product)) return std::nullopt;
  }
  return checked_mul(product, bit_width(dtype));
}

std::string type_text(const Header::Data& data, const TensorRecord& tensor) {
  return fmt::format("{} {}", dtype_name(tensor.dtype), shape_text(data.shape(tensor)));
}

std::string offsets_text(const TensorRecord& tensor) {
  return fmt::format("data_offsets [{}, {}]", tensor.begin, tensor.end);
}

class LayoutCheck {
 public:
  LayoutCheck(const Header::Data& data, HeaderReport& report) : data_(data), report_(report) {}

  void run() {
    for (const TensorRecord& tensor : data_.tensors) check_tensor(tensor);
    if (covered_ == data_.data_bytes) return;
    report_.error(ErrorCode::MetadataIncompleteBuffer, {}, kHeaderStart, [this] {
      return fmt::format("the tensors cover {} bytes, the data section has {}", covered_, data_.data_bytes);
    });
  }

 private:
  void check_tensor(const TensorRecord& tensor) {
    if (tensor.end < tensor.begin) {
      return error(ErrorCode::InvalidOffset, tensor,
                   [&] { return fmt::format("{} run backwards", offsets_text(tensor)); });
    }
    if (tensor.begin != covered_) {
      error(ErrorCode::InvalidOffset, tensor, [&] {
        return fmt::format("{} leave a hole or overlap: begin must be {}, where the tensor before ends",
                           offsets_text(tensor), covered_);
      });
    }
    covered_ = std::max(covered_, tensor.end);
    check_size(tensor);
  }

  void check_size(const TensorRecord& tensor) {
    const auto bits = bit_count(tensor.dtype, data_.shape(tensor));
    if (!bits) {
      return error(ErrorCode::ValidationOverflow, tensor, [&] {
        return fmt::format("{} needs a number of bits that does not fit 64 bits", type_text(data_, tensor));
      });
    }
    if (*bits % 8 != 0) {
      return error(ErrorCode::MisalignedSlice, tensor, [&] {
        return fmt::format("{} needs {} bits, which is no whole number of bytes", type_text(data_, tensor),
                           *bits);
      });
    }
    if (*bits / 8 == tensor.end - tensor.begin) return;
    error(ErrorCode::TensorInvalidInfo, tensor, [&] {
      return fmt::format("{} hold {} bytes, {} needs {}", offsets_text(tensor), tensor.end - tensor.begin,
                         type_text(data_, tensor), *bits / 8);
    });
  }

  template <typename Message>
  void error(ErrorCode code, const TensorRecord& tensor, Message&& message) {
    report_.error(code, data_.view(tensor.name), file_offset(tensor), message);
  }

  const Header::Data& data_;
  HeaderReport& report_;
  std::uint64_t covered_ = 0;
};

}  // namespace

void sort_metadata(Header::Data& data, HeaderReport& report) {
  const auto key_of = [&data](const MetadataRecord& record) { return data.view(record.key); };
  auto& records = data.metadata;
  if (!std::ranges::is_sorted(records, {}, key_of)) std::ranges::sort(records, {}, key_of);
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (key_of(records[i - 1]) != key_of(records[i])) continue;
    const std::uint64_t offset = std::max(file_offset(records[i - 1].key), file_offset(records[i].key));
    report.error(ErrorCode::DuplicateKey, kMetadataKey, offset, [&] {
      return fmt::format("the key '{}' stands twice, needed at most once", short_text(key_of(records[i])));
    });
  }
}

std::optional<std::uint64_t> byte_count(DType dtype, std::span<const std::uint64_t> shape) noexcept {
  const auto bits = bit_count(dtype, shape);
  return bits && *bits % 8 == 0 ? std::optional(*bits / 8) : std::nullopt;
}

bool tensors_tile(const Header::Data& data) noexcept {
  std::uint64_t covered = 0;
  for (const TensorRecord& tensor : data.tensors) {
    if (tensor.begin != covered || tensor.end < covered) return false;
    if (byte_count(tensor.dtype, data.shape(tensor)) != tensor.end - covered) return false;
    covered = tensor.end;
  }
  return covered == data.data_bytes;
}

void check_layout(const Header::Data& data, HeaderReport& report) { LayoutCheck(data, report).run(); }

}  // namespace weighbridge
