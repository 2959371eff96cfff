#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include <weighbridge/error.hpp>
#include <weighbridge/writer.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "io/atomic_file.hpp"
#include "io/coverage.hpp"
#include "io/descriptor.hpp"
#include "io/preallocate.hpp"
#include "io/progress.hpp"

namespace weighbridge {
namespace {

/// Where a declared tensor lies in the data section.
struct Place {
  std::string name;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

std::vector<Place> places_of(std::span<const TensorSpec> specs, const SerializedHeader& header) {
  std::vector<Place> places;
  places.reserve(specs.size());
  for (std::size_t i = 0; i < header.order.size(); ++i) {
    const bool last = i + 1 == header.order.size();
    places.push_back({.name = specs[header.order[i]].name,
                      .begin = header.data_offsets[i],
                      .end = last ? header.data_bytes : header.data_offsets[i + 1]});
  }
  return places;
}

[[noreturn]] void refuse(const std::string& message, std::string_view tensor = {}) {
  throw Error(ErrorCode::InvalidArgument, message, std::string(tensor));
}

}  // namespace

class SafetensorsWriter::State {
 public:
  State(const std::filesystem::path& path, std::span<const TensorSpec> specs, const SerializedHeader& header,
        const WriteOptions& options)
      : file_(path, options.overwrite),
        options_(options),
        meter_(options_, header.data_bytes),
        data_begin_(header.bytes.size()),
        data_bytes_(header.data_bytes),
        by_offset_(places_of(specs, header)),
        by_name_(by_offset_) {
    std::ranges::sort(by_name_, {}, &Place::name);
    const auto total = checked_add(data_begin_, data_bytes_);
    if (!total) throw Error(ErrorCode::ValidationOverflow, "the file would not fit 64 bits");
    io::preallocate(file_.descriptor(), *total, file_.path());
    io::write_at(file_.descriptor(), 0, std::as_bytes(std::span(header.bytes)), file_.path());
  }

  [[nodiscard]] const Place& find(std::string_view name) const {
    const auto found = std::ranges::lower_bound(by_name_, name, {}, &Place::name);
    if (found != by_name_.end() && found->name == name) return *found;
    throw Error(ErrorCode::TensorNotFound, fmt::format("no tensor '{}' was declared", printable(name)),
                std::string(name));
  }

  /// `offset` and `bytes` lie within the tensor.
  void write(const Place& tensor, std::uint64_t offset, std::span<const std::byte> bytes) {
    begin_write(tensor, offset, bytes.size());
    bool written = false;
    try {
      meter_.check_cancelled();
      io::write_at(file_.descriptor(), data_begin_ + tensor.begin + offset, bytes, file_.path());
      meter_.add(bytes.size());
      written = true;
    } catch (...) {
      end_write(written);
      throw;
    }
    end_write(written);
  }

  [[nodiscard]] std::uint64_t missing_bytes() const {
    const std::lock_guard lock(mutex_);
    return data_bytes_ - written_.claimed_bytes();
  }

  WriteReport finish() {
    {
      const std::lock_guard lock(mutex_);
      check_usable();
      if (running_ > 0) refuse("the file cannot be finished while a write runs");
      check_complete();
      finished_ = true;
    }
    meter_.check_cancelled();
    file_.commit(options_.durability);
    return {.bytes_written = data_begin_ + data_bytes_};
  }

 private:
  void begin_write(const Place& tensor, std::uint64_t offset, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    check_usable();
    const std::uint64_t begin = tensor.begin + offset;
    if (!written_.claim(begin, begin + bytes)) {
      refuse(fmt::format("tensor '{}': some of bytes [{}, {}) were written before", printable(tensor.name),
                         offset, offset + bytes),
             tensor.name);
    }
    ++running_;
  }

  void end_write(bool written) {
    const std::lock_guard lock(mutex_);
    --running_;
    failed_ = failed_ || !written;
  }

  void check_usable() const {
    if (finished_) refuse("the writer is finished");
    if (failed_) refuse("a write has failed: the file cannot become complete");
  }

  void check_complete() const {
    const auto gap = written_.first_gap(data_bytes_);
    if (!gap) return;
    const auto next = std::ranges::upper_bound(by_offset_, *gap, {}, &Place::end);
    const std::uint64_t end = written_.next_claimed(*gap, next->end);
    refuse(fmt::format("tensor '{}': bytes [{}, {}) of {} were not written", printable(next->name),
                       *gap - next->begin, end - next->begin, next->end - next->begin),
           next->name);
  }

  io::AtomicFile file_;
  WriteOptions options_;
  io::ProgressMeter meter_;
  std::uint64_t data_begin_;
  std::uint64_t data_bytes_;
  std::vector<Place> by_offset_;
  std::vector<Place> by_name_;
  mutable std::mutex mutex_;
  io::Coverage written_;
  unsigned running_ = 0;
  bool failed_ = false;
  bool finished_ = false;
};

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& path, std::span<const TensorSpec> specs,
                                     const std::optional<Metadata>& metadata, const HeaderStyle& style,
                                     const WriteOptions& options)
    : state_(std::make_unique<State>(path, specs, serialize_header(specs, metadata, style), options)) {}

SafetensorsWriter::~SafetensorsWriter() = default;
SafetensorsWriter::SafetensorsWriter(SafetensorsWriter&&) noexcept = default;
SafetensorsWriter& SafetensorsWriter::operator=(SafetensorsWriter&&) noexcept = default;

void SafetensorsWriter::write(std::string_view name, std::span<const std::byte> bytes) {
  const std::uint64_t needed = tensor_bytes(name);
  if (bytes.size() != needed) {
    throw Error(ErrorCode::TensorInvalidInfo,
                fmt::format("tensor '{}': {} bytes were given, {} are declared", printable(name),
                            bytes.size(), needed),
                std::string(name));
  }
  write_part(name, 0, bytes);
}

void SafetensorsWriter::write_part(std::string_view name, std::uint64_t offset,
                                   std::span<const std::byte> bytes) {
  const Place& tensor = state_->find(name);
  if (!range_fits(offset, bytes.size(), tensor.end - tensor.begin)) {
    throw Error(ErrorCode::TensorInvalidInfo,
                fmt::format("tensor '{}': {} bytes at {} leave its {} bytes", printable(name), bytes.size(),
                            offset, tensor.end - tensor.begin),
                std::string(name));
  }
  state_->write(tensor, offset, bytes);
}

std::uint64_t SafetensorsWriter::tensor_bytes(std::string_view name) const {
  const Place& tensor = state_->find(name);
  return tensor.end - tensor.begin;
}

std::uint64_t SafetensorsWriter::missing_bytes() const { return state_->missing_bytes(); }

WriteReport SafetensorsWriter::finish() { return state_->finish(); }

}  // namespace weighbridge
