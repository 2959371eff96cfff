#include "open_file.hpp"

#include <algorithm>

#include <weighbridge/load.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge::python {
namespace {

// A mapping costs some microseconds and one of the 65530 that a process may have; below this a copy is
// cheaper.
constexpr std::uint64_t kWorthMapping = std::uint64_t{1} << 20;
// Below this a system call takes longer than the copy from a mapping.
constexpr std::size_t kWorthReading = std::size_t{64} << 10;
// Below this there is nothing to choose and to share out.
constexpr std::size_t kWorthLoading = std::size_t{1} << 20;
// Small tensors are read together into blocks of about this size, and live as long as the last of them.
constexpr std::uint64_t kBlockBytes = std::uint64_t{4} << 20;

// A stretch of the data section that is read into one block.
struct Block {
  std::size_t first = 0;  // tensor
  std::size_t count = 0;
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
};

std::vector<Block> cut_blocks(const OpenFile& file) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < file.header().size(); ++i) {
    const std::uint64_t bytes = file.bytes_of(i);
    if (blocks.empty() || blocks.back().bytes + bytes > kBlockBytes) {
      blocks.push_back({.first = i, .count = 0, .begin = file.begin_of(i), .bytes = 0});
    }
    ++blocks.back().count;
    blocks.back().bytes += bytes;
  }
  return blocks;
}

void read_small(const ByteSource& source, const ByteRuns& runs, std::span<std::byte> out) {
  // Reading brings a long range faster than a fault for each of its pages.
  if (runs.contiguous() && out.size() >= kWorthReading) return source.read_at(runs.offset, out);
  if (runs.contiguous()) source.expect(runs.offset, out.size());
  read_runs(source, runs, Transform::None, 0, out);
}

void read_into(const SourcePtr& source, const ByteRuns& runs, std::span<std::byte> out,
               const LoadOptions& options = {}) {
  if (out.size() < kWorthLoading) return read_small(*source, runs, out);
  const LoadStep step{.source = source, .runs = runs, .out = out};
  load_into(std::span(&step, 1), options);
}

Memory read_to_memory(const SourcePtr& source, const ByteRuns& runs) {
  const Memory memory = allocate(runs.total_bytes);
  read_into(source, runs, memory.bytes(), {.large_pages = true});
  return memory;
}

ByteRuns range_of(std::uint64_t begin, std::uint64_t bytes) {
  return {.offset = begin, .run_bytes = bytes, .loops = {}, .total_bytes = bytes};
}

// For reads past the page cache the memory lies in its page as the bytes do in theirs.
Memory allocate_for(const Block& block, LoadMode mode) {
  constexpr std::uint64_t kPage = 4096;
  if (mode != LoadMode::Direct || block.bytes < kWorthLoading) return allocate(block.bytes);
  const std::uint64_t inside = block.begin % kPage;
  return allocate(inside + block.bytes).part(inside, block.bytes);
}

Memory copy_of(const Memory& memory) {
  Memory copy = allocate(memory.size);
  std::ranges::copy(memory.bytes(), copy.data);
  return copy;
}

// The data section without a copy, if that is asked for and to be had.
std::optional<Memory> map_section(const OpenFile& file, ArenaKind kind) {
  const std::uint64_t begin = file.header().data_begin();
  const std::uint64_t bytes = file.header().data_bytes();
  if (kind == ArenaKind::Private) return map_privately(file.source(), begin, bytes);
  if (kind == ArenaKind::Owned) return std::nullopt;
  check_size(file.source());
  const auto shared = file.source().map(begin, bytes);
  return shared ? std::optional(borrow(*shared)) : std::nullopt;
}

}  // namespace

bool is_aligned(const Memory& memory, DType dtype) noexcept {
  const std::size_t width = std::max<std::size_t>(bit_width(dtype) / 8, 1);
  return reinterpret_cast<std::uintptr_t>(memory.data) % width == 0;
}

bool OpenFile::mapped() const { return source_->map(0, 1).has_value(); }

Memory OpenFile::view(std::size_t i) const {
  expect(i, 0, bytes_of(i));
  if (const auto mapped = source_->map(begin_of(i), bytes_of(i))) return borrow(*mapped);
  Memory memory = read(i);
  memory.writable = false;
  return memory;
}

Memory OpenFile::read(std::size_t i) const {
  return read_to_memory(source_, range_of(begin_of(i), bytes_of(i)));
}

void OpenFile::read_range(std::uint64_t begin, std::span<std::byte> out) const {
  read_into(source_, range_of(begin, out.size()), out);
}

Memory OpenFile::detach(std::size_t i) const {
  if (bytes_of(i) < kWorthMapping) return read(i);
  expect(i, 0, bytes_of(i));
  const auto mapped = map_privately(*source_, begin_of(i), bytes_of(i));
  return mapped && is_aligned(*mapped, header_[i].dtype) ? *mapped : read(i);
}

Memory OpenFile::read_slice(std::size_t i, const SlicePlan& plan) const {
  ByteRuns runs = plan.runs;
  runs.offset += begin_of(i);
  return read_to_memory(source_, runs);
}

Arena::Arena(const OpenFile& file, ArenaKind kind, const LoadOptions& options) {
  tensors_.reserve(file.header().size());
  const auto section = map_section(file, kind);
  section ? take_from(file, *section) : read_all(file, options);
  if (kind != ArenaKind::Shared) return;
  for (Memory& tensor : tensors_) tensor.writable = false;
}

void Arena::take_from(const OpenFile& file, const Memory& section) {
  for (std::size_t i = 0; i < file.header().size(); ++i) {
    const TensorInfo info = file.header()[i];
    const Memory tensor = section.part(info.begin, info.end - info.begin);
    tensors_.push_back(!section.writable || is_aligned(tensor, info.dtype) ? tensor : copy_of(tensor));
  }
}

void Arena::read_all(const OpenFile& file, const LoadOptions& options) {
  const std::vector<Block> blocks = cut_blocks(file);
  std::vector<Memory> memory;
  std::vector<LoadStep> steps;
  for (const Block& block : blocks) {
    memory.push_back(allocate_for(block, options.mode));
    steps.push_back({file.source_ptr(), range_of(block.begin, block.bytes), memory.back().bytes()});
  }
  report_ = load_into(steps, options);
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    for (std::size_t i = blocks[b].first; i < blocks[b].first + blocks[b].count; ++i) {
      const Memory tensor = memory[b].part(file.begin_of(i) - blocks[b].begin, file.bytes_of(i));
      tensors_.push_back(is_aligned(tensor, file.header()[i].dtype) ? tensor : copy_of(tensor));
    }
  }
}

}  // namespace weighbridge::python
