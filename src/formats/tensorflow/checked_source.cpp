#include "formats/tensorflow/checked_source.hpp"

#include <algorithm>
#include <memory>
#include <mutex>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/tensorflow/crc32c.hpp"
#include "formats/tensorflow/failure.hpp"

namespace weighbridge::tensorflow {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;

class CheckedSource final : public ByteSource {
 public:
  CheckedSource(SourcePtr content, std::uint32_t crc, std::string name)
      : content_(std::move(content)), crc_(crc), name_(std::move(name)) {}

  [[nodiscard]] std::uint64_t size() const override { return content_->size(); }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check();
    content_->read_at(offset, out);
  }

  [[nodiscard]] std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    check();
    return content_->map(offset, length);
  }

  [[nodiscard]] std::optional<FileExtent> file_extent(std::uint64_t offset) const override {
    check();
    return content_->file_extent(offset);
  }

 private:
  void check() const {
    const std::lock_guard lock(mutex_);
    if (checked_) return;
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < size(); at += kPieceBytes) {
      const Buffer piece = content_->read(at, std::min(kPieceBytes, size() - at));
      crc = crc32c(piece.bytes(), crc);
    }
    if (mask_crc(crc) != crc_) {
      refuse(fmt::format("tensor '{}' has the CRC-32C {:08x}, the index says {:08x}", printable(name_),
                         mask_crc(crc), crc_),
             name_);
    }
    checked_ = true;
  }

  SourcePtr content_;
  std::uint32_t crc_;
  std::string name_;
  mutable std::mutex mutex_;
  mutable bool checked_ = false;
};

}  // namespace

SourcePtr checked_source(SourcePtr file, std::uint64_t offset, std::uint64_t bytes, std::uint32_t crc,
                         std::string name) {
  return std::make_shared<CheckedSource>(sub_source(std::move(file), offset, bytes), crc, std::move(name));
}

}  // namespace weighbridge::tensorflow
