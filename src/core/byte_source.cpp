#include <algorithm>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"

namespace weighbridge {
namespace {

class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Buffer bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    std::ranges::copy(bytes_.bytes().subspan(offset, out.size()), out.begin());
  }

  std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    check_range(offset, length);
    return bytes_.part(offset, length);
  }

 private:
  Buffer bytes_;
};

class SubSource final : public ByteSource {
 public:
  SubSource(SourcePtr parent, std::uint64_t offset, std::uint64_t length)
      : parent_(std::move(parent)), offset_(offset), length_(length) {}

  std::uint64_t size() const override { return length_; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    parent_->read_at(offset_ + offset, out);
  }

  std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    check_range(offset, length);
    return parent_->map(offset_ + offset, length);
  }

  void expect(std::uint64_t offset, std::uint64_t length) const noexcept override {
    if (range_fits(offset, length, length_)) parent_->expect(offset_ + offset, length);
  }

  std::optional<FileExtent> file_extent(std::uint64_t offset) const override {
    return parent_->file_extent(offset_ + offset);
  }

  std::string name() const override { return parent_->name(); }

 private:
  SourcePtr parent_;
  std::uint64_t offset_;
  std::uint64_t length_;
};

}  // namespace

Buffer Buffer::take(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  const std::span<const std::byte> view(*owner);
  return {view, std::move(owner)};
}

Buffer Buffer::take(std::string bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  const auto view = std::as_bytes(std::span(*owner));
  return {view, std::move(owner)};
}

Buffer Buffer::part(std::size_t offset, std::size_t length) const {
  return {bytes_.subspan(offset, length), owner_};
}

ByteSource::~ByteSource() = default;

std::optional<Buffer> ByteSource::map(std::uint64_t /*offset*/, std::uint64_t /*length*/) const {
  return std::nullopt;
}

void ByteSource::expect(std::uint64_t /*offset*/, std::uint64_t /*length*/) const noexcept {}

std::optional<FileExtent> ByteSource::file_extent(std::uint64_t /*offset*/) const { return std::nullopt; }

std::string ByteSource::name() const { return {}; }

Buffer ByteSource::read(std::uint64_t offset, std::uint64_t length) const {
  check_range(offset, length);
  if (auto mapped = map(offset, length)) return *std::move(mapped);
  std::vector<std::byte> bytes(length);
  read_at(offset, bytes);
  return Buffer::take(std::move(bytes));
}

void ByteSource::check_range(std::uint64_t offset, std::uint64_t length) const {
  if (range_fits(offset, length, size())) return;
  throw Error(ErrorCode::IoError,
              fmt::format("read of {} bytes at {} leaves the source of {} bytes", length, offset, size()), {},
              offset);
}

SourcePtr memory_source(Buffer bytes) { return std::make_shared<MemorySource>(std::move(bytes)); }

SourcePtr sub_source(SourcePtr parent, std::uint64_t offset, std::uint64_t length) {
  if (!range_fits(offset, length, parent->size())) {
    throw Error(
        ErrorCode::IoError,
        fmt::format("a part of {} bytes at {} leaves the source of {} bytes", length, offset, parent->size()),
        {}, offset);
  }
  return std::make_shared<SubSource>(std::move(parent), offset, length);
}

}  // namespace weighbridge
