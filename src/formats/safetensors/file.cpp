#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include <weighbridge/large_pages.hpp>
#include <weighbridge/safetensors_file.hpp>
#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "core/header_parts.hpp"
#include "io/crew.hpp"

namespace weighbridge {

/// Views are borrowed from it: it lives as long as any copy of the file.
class SafetensorsFile::Mapping {
 public:
  /// Empty where there is no mapping.
  std::span<const std::byte> bytes(const ByteSource& source) {
    std::call_once(once_, [&] { whole_ = source.map(0, source.size()).value_or(Buffer()); });
    return whole_.bytes();
  }

 private:
  std::once_flag once_;
  Buffer whole_;
};

SafetensorsFile::SafetensorsFile(SourcePtr source, Header header)
    : source_(std::move(source)), header_(std::move(header)), mapping_(std::make_shared<Mapping>()) {}

namespace {

unsigned count_lanes(std::size_t jobs) { return io::useful_lanes(jobs, 1); }

void run_jobs(std::size_t jobs, const std::function<void(std::size_t i)>& work) {
  io::run_crew(jobs, static_cast<unsigned>(jobs), [&work](std::size_t i, unsigned) { work(i); });
}

// What is not a file as it stands may have to be unpacked from its front for each of them.
HeaderCrew crew_for(const ByteSource& source) {
  return source.file_extent(0) ? HeaderCrew{.lanes = count_lanes, .run = run_jobs} : HeaderCrew();
}

}  // namespace

SafetensorsFile SafetensorsFile::from_source(SourcePtr source, const Limits& limits) {
  Header header = read_header_by(crew_for(*source), *source, limits, large_page_memory());
  return {std::move(source), std::move(header)};
}

TensorView SafetensorsFile::view(std::string_view name) const& {
  const TensorInfo tensor = header_.get(name);
  const std::span<const std::byte> mapped = mapping_->bytes(*source_);
  if (mapped.empty()) {
    throw Error(ErrorCode::IoError,
                fmt::format("tensor '{}' cannot be viewed, as the file is not mapped: read it instead",
                            printable(name)),
                std::string(name));
  }
  source_->expect(header_.data_begin() + tensor.begin, tensor.end - tensor.begin);
  return {.name = tensor.name,
          .dtype = tensor.dtype,
          .shape = tensor.shape,
          .bytes = mapped.subspan(header_.data_begin() + tensor.begin, tensor.end - tensor.begin)};
}

Buffer SafetensorsFile::read(std::string_view name) const {
  const TensorInfo tensor = header_.get(name);
  return read_range(header_.data_begin() + tensor.begin, tensor.end - tensor.begin);
}

Buffer SafetensorsFile::read_range(std::uint64_t offset, std::uint64_t length) const {
  source_->expect(offset, length);
  return source_->read(offset, length);
}

void SafetensorsFile::read_into(std::string_view name, std::span<std::byte> out) const {
  const TensorInfo tensor = header_.get(name);
  if (out.size() != tensor.end - tensor.begin) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("tensor '{}' has {} bytes, the room given for it is {}", printable(name),
                            tensor.end - tensor.begin, out.size()),
                std::string(name));
  }
  source_->read_at(header_.data_begin() + tensor.begin, out);
}

LoadStep SafetensorsFile::load_step(std::string_view name, std::span<const SliceIndex> slice,
                                    std::span<std::byte> out) const {
  const TensorInfo tensor = header_.get(name);
  ByteRuns runs = plan_slice(tensor.dtype, tensor.shape, slice).runs;
  runs.offset += header_.data_begin() + tensor.begin;
  return {.source = source_, .runs = std::move(runs), .out = out};
}

Buffer SafetensorsFile::read_slice(std::string_view name, std::span<const SliceIndex> slice) const {
  const TensorInfo tensor = header_.get(name);
  ByteRuns runs = plan_slice(tensor.dtype, tensor.shape, slice).runs;
  if (runs.total_bytes == 0) return {};
  runs.offset += header_.data_begin() + tensor.begin;
  if (runs.contiguous()) return read_range(runs.offset, runs.total_bytes);
  std::vector<std::byte> bytes(runs.total_bytes);
  read_runs(*source_, runs, Transform::None, 0, bytes);
  return Buffer::take(std::move(bytes));
}

}  // namespace weighbridge
