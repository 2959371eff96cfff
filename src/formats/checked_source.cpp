#include "formats/checked_source.hpp"

#include <mutex>
#include <utility>

namespace weighbridge {

class OnceChecked {
 public:
  explicit OnceChecked(std::function<void()> look) : look_(std::move(look)) {}

  void check() const {
    const std::lock_guard lock(mutex_);
    if (looked_) return;
    look_();
    looked_ = true;
  }

 private:
  std::function<void()> look_;
  mutable std::mutex mutex_;
  mutable bool looked_ = false;
};

namespace {

class CheckedSource final : public ByteSource {
 public:
  CheckedSource(SourcePtr content, OnceCheckedPtr check)
      : content_(std::move(content)), check_(std::move(check)) {}

  [[nodiscard]] std::uint64_t size() const override { return content_->size(); }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_->check();
    content_->read_at(offset, out);
  }

  [[nodiscard]] std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    check_->check();
    return content_->map(offset, length);
  }

  [[nodiscard]] std::optional<FileExtent> file_extent(std::uint64_t offset) const override {
    check_->check();
    return content_->file_extent(offset);
  }

 private:
  SourcePtr content_;
  OnceCheckedPtr check_;
};

}  // namespace

OnceCheckedPtr check_once(std::function<void()> look) {
  return std::make_shared<const OnceChecked>(std::move(look));
}

SourcePtr checked_source(SourcePtr content, OnceCheckedPtr check) {
  return std::make_shared<CheckedSource>(std::move(content), std::move(check));
}

}  // namespace weighbridge
