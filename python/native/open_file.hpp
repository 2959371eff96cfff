// A safetensors file, open for Python: the header, and the ways to its bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/load.hpp>
#include <weighbridge/safetensors_file.hpp>
#include <weighbridge/slice.hpp>

#include "memory.hpp"

namespace weighbridge::python {

/// Immutable; any thread may use it. No function needs the GIL, and all that read should be called
/// without it.
class OpenFile {
 public:
  /// Throws what read_header throws.
  explicit OpenFile(SourcePtr source) : OpenFile(SafetensorsFile::from_source(std::move(source))) {}

  explicit OpenFile(const SafetensorsFile& file) : source_(file.source()), header_(file.header()) {}

  [[nodiscard]] const Header& header() const noexcept { return header_; }
  [[nodiscard]] const ByteSource& source() const noexcept { return *source_; }
  [[nodiscard]] const SourcePtr& source_ptr() const noexcept { return source_; }
  /// Whether bytes can be had without reading: a file that is mapped, or memory.
  [[nodiscard]] bool mapped() const;

  /// Byte of the file where the i-th tensor starts, and its size.
  [[nodiscard]] std::uint64_t begin_of(std::size_t i) const {
    return header_.data_begin() + header_[i].begin;
  }
  [[nodiscard]] std::uint64_t bytes_of(std::size_t i) const { return header_[i].end - header_[i].begin; }

  /// Says that `length` bytes of the i-th tensor from `offset` on will be looked at, where they are mapped,
  /// and what lies around them will not: see ByteSource::expect.
  void expect(std::size_t i, std::uint64_t offset, std::uint64_t length) const noexcept {
    source_->expect(begin_of(i) + offset, length);
  }

  /// The i-th tensor, read-only: without a copy where the file is mapped.
  [[nodiscard]] Memory view(std::size_t i) const;
  /// The i-th tensor in memory of its own, read by several threads when it is large.
  [[nodiscard]] Memory read(std::size_t i) const;
  /// The same, but large ones in a private mapping of their own where that is possible.
  [[nodiscard]] Memory detach(std::size_t i) const;
  /// Bytes of the file from `begin` on, read by several threads. Throws IoError when they leave the file.
  void read_range(std::uint64_t begin, std::span<std::byte> out) const;
  /// The bytes of a slice in memory of their own; only they are read.
  [[nodiscard]] Memory read_slice(std::size_t i, const SlicePlan& plan) const;

 private:
  SourcePtr source_;
  Header header_;
};

/// How an Arena holds the tensors.
enum class ArenaKind : std::uint8_t {
  Shared,   ///< Read-only, the file's own pages or the caller's memory.
  Private,  ///< Writable, a private mapping.
  Owned,    ///< Writable, read into memory.
};

/// All tensors of a file at once. Where a mapping cannot be had, it is Owned.
class Arena {
 public:
  /// Throws IoError, std::bad_alloc.
  Arena(const OpenFile& file, ArenaKind kind, const LoadOptions& options = {});

  [[nodiscard]] const Memory& operator[](std::size_t i) const { return tensors_[i]; }
  [[nodiscard]] std::size_t size() const noexcept { return tensors_.size(); }
  /// How the tensors were read; nothing where they are a mapping.
  [[nodiscard]] const std::optional<LoadReport>& report() const noexcept { return report_; }

 private:
  void take_from(const OpenFile& file, const Memory& section);
  void read_all(const OpenFile& file, const LoadOptions& options);

  std::vector<Memory> tensors_;
  std::optional<LoadReport> report_;
};

/// Whether an address suits every framework: a multiple of the element's size.
[[nodiscard]] bool is_aligned(const Memory& memory, DType dtype) noexcept;

}  // namespace weighbridge::python
