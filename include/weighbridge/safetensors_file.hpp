// A safetensors file, open for reading: names, views, slices.
#pragma once

#include <filesystem>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/load.hpp>
#include <weighbridge/slice.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge {

/// Opening costs the header alone; a file's header of 1 MiB or more is read by several threads. Copies share
/// the mapping; any thread may read.
/// Of a file that is not in memory a view or a read fetches the tensor's bytes, and none around them, unless
/// much of the file is gone through in its order. Views live as long as any copy of the SafetensorsFile; a
/// Buffer keeps the mapping alive by itself.
class WB_EXPORT SafetensorsFile {
 public:
  /// Throws IoError and what read_header throws.
  static SafetensorsFile open(const std::filesystem::path& path, ReadMode mode = ReadMode::Auto,
                              const Limits& limits = {});
  /// Opens many files, as the shards of a model: by several threads where that pays, in the order of `paths`.
  /// Throws what open() throws for the first that fails.
  static std::vector<SafetensorsFile> open_all(std::span<const std::filesystem::path> paths,
                                               ReadMode mode = ReadMode::Auto, const Limits& limits = {});
  static SafetensorsFile from_source(SourcePtr source, const Limits& limits = {});

  [[nodiscard]] const Header& header() const& noexcept WB_LIFETIME_BOUND { return header_; }
  const Header& header() const&& = delete;

  /// Where the bytes are.
  [[nodiscard]] const SourcePtr& source() const& noexcept WB_LIFETIME_BOUND { return source_; }
  const SourcePtr& source() const&& = delete;

  /// The tensor without a copy. Throws TensorNotFound, or IoError when the file is not mapped
  /// (ReadMode::Positional): use read() there.
  [[nodiscard]] TensorView view(std::string_view name) const& WB_LIFETIME_BOUND;
  TensorView view(std::string_view name) const&& = delete;

  /// The tensor's bytes, without a copy where the file is mapped.
  [[nodiscard]] Buffer read(std::string_view name) const;

  /// Copies the tensor into `out`, whose size is the tensor's (InvalidArgument otherwise).
  void read_into(std::string_view name, std::span<std::byte> out) const;

  /// A slice in numpy's basic indexing; reads only its own bytes. The shape of the result is
  /// plan_slice(...).shape.
  [[nodiscard]] Buffer read_slice(std::string_view name, std::span<const SliceIndex> slice) const;

  /// A tensor, or a slice of it, for load_into(), which brings those of many files at once. `out` is
  /// borrowed; the step keeps the file open. Throws what read_slice throws.
  [[nodiscard]] LoadStep load_step(std::string_view name, std::span<const SliceIndex> slice,
                                   std::span<std::byte> out) const;

 private:
  class Mapping;

  SafetensorsFile(SourcePtr source, Header header);
  static SafetensorsFile open_in(const std::shared_ptr<std::pmr::memory_resource>& memory,
                                 const std::filesystem::path& path, ReadMode mode, const Limits& limits);
  [[nodiscard]] Buffer read_range(std::uint64_t offset, std::uint64_t length) const;

  SourcePtr source_;
  Header header_;
  std::shared_ptr<Mapping> mapping_;  // of the whole file, made for the first view
};

}  // namespace weighbridge
