// The header of a safetensors file: parse, look up, serialise.
//
// A file is 8 bytes of little-endian length N, N bytes of JSON, and the data section. The rules
// and every point where they are stricter than the reference are in docs/formats/safetensors.md.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/limits.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge {

/// `__metadata__`: string to string, ordered by key so that equal metadata gives equal bytes.
using Metadata = std::map<std::string, std::string, std::less<>>;

/// One tensor entry. `name` and `shape` point into the Header it came from.
struct TensorInfo {
  std::string_view name;
  DType dtype = DType::F32;
  std::span<const std::uint64_t> shape;
  std::uint64_t begin = 0;          ///< data_offsets[0], relative to the data section.
  std::uint64_t end = 0;            ///< data_offsets[1].
  std::uint64_t header_offset = 0;  ///< Byte of the file where the entry's name starts.
};

/// A parsed, valid header. Immutable; copies are cheap and share; any thread may read it.
/// Views taken from it live as long as any copy. A Header that was moved from can only be assigned to or
/// destroyed.
class WB_EXPORT Header {
 public:
  Header();
  ~Header();
  Header(const Header&);
  Header(Header&&) noexcept;
  Header& operator=(const Header&);
  Header& operator=(Header&&) noexcept;

  /// Number of tensors.
  [[nodiscard]] std::size_t size() const noexcept;
  /// The i-th tensor in order of its offset. REQUIRES: i < size().
  [[nodiscard]] TensorInfo operator[](std::size_t i) const& noexcept WB_LIFETIME_BOUND;
  TensorInfo operator[](std::size_t i) const&& = delete;
  /// Its name alone. REQUIRES: i < size().
  [[nodiscard]] std::string_view name(std::size_t i) const& noexcept WB_LIFETIME_BOUND;
  std::string_view name(std::size_t i) const&& = delete;
  /// All names, ordered by their bytes, which is the order of code points; in the Header's own memory.
  [[nodiscard]] std::pmr::vector<std::string_view> sorted_names() const& WB_LIFETIME_BOUND;
  std::pmr::vector<std::string_view> sorted_names() const&& = delete;
  /// Position of the tensor of that name.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
  /// Throws TensorNotFound.
  [[nodiscard]] TensorInfo get(std::string_view name) const& WB_LIFETIME_BOUND;
  TensorInfo get(std::string_view name) const&& = delete;

  /// False when `__metadata__` is absent or null; an empty object is true.
  [[nodiscard]] bool has_metadata() const noexcept;
  [[nodiscard]] std::size_t metadata_size() const noexcept;
  /// The i-th pair, ordered by key. REQUIRES: i < metadata_size().
  [[nodiscard]] std::pair<std::string_view, std::string_view> metadata_at(std::size_t i) const& noexcept
      WB_LIFETIME_BOUND;
  std::pair<std::string_view, std::string_view> metadata_at(std::size_t i) const&& = delete;
  [[nodiscard]] Metadata metadata() const;

  /// Byte of the file where the data section starts: 8 + header length.
  [[nodiscard]] std::uint64_t data_begin() const noexcept;
  /// Length of the data section.
  [[nodiscard]] std::uint64_t data_bytes() const noexcept;

  struct Data;                                            ///< Internal.
  explicit Header(std::shared_ptr<const Data>) noexcept;  ///< Internal.

 private:
  std::shared_ptr<const Data> data_;
};

/// Parses and validates the header of `file` in one pass, without a look at tensor bytes.
/// Memory is at most 3x the header's size, time linear in it; no other thread takes part. Throws the first
/// Error found.
/// The Header's records live in `memory`, which must outlive it and be safe for any thread that drops it.
WB_EXPORT Header read_header(const ByteSource& file, const Limits& limits = {},
                             std::pmr::memory_resource& memory = *std::pmr::get_default_resource());

/// The same in memory that lives as long as any copy of the Header.
WB_EXPORT Header read_header(const ByteSource& file, const Limits& limits,
                             std::shared_ptr<std::pmr::memory_resource> memory);

/// The same over the start of a file in memory: `prefix` holds at least the 8 length bytes and the
/// header (InvalidHeaderLength otherwise), `file_bytes` is the size of the whole file.
WB_EXPORT Header parse_header(std::span<const std::byte> prefix, std::uint64_t file_bytes,
                              const Limits& limits = {});

/// Everything that is wrong or odd about the header of `file`, in order of its place: every
/// violation as Severity::Error with its ErrorCode's name; unknown fields ("UnknownField"), padding
/// other than spaces ("OddPadding") and an unaligned data section ("UnalignedData") as warnings. A
/// syntax error or a crossed limit ends the list; of one code at most limits.findings are kept, and a
/// last finding without offset counts the rest. No Error finding exactly when read_header succeeds.
/// Throws IoError.
WB_EXPORT Findings validate_header(const ByteSource& file, const Limits& limits = {});

/// Layout of a header to be written.
struct HeaderStyle {
  /// The data section starts at a multiple of this: a power of two, 8 to 4096.
  std::uint32_t alignment = 8;
  /// Spaces kept free behind the metadata, or behind the JSON when there are none, so that metadata
  /// can grow in place later: edit.hpp.
  std::uint64_t slack = 0;
};

/// A header and where each tensor goes.
struct SerializedHeader {
  std::string bytes;                        ///< Length, JSON and padding: the file up to the data section.
  std::vector<std::size_t> order;           ///< Indices of `specs` in order of their offsets.
  std::vector<std::uint64_t> data_offsets;  ///< For each of `order`, its first byte in the data section.
  std::uint64_t data_bytes = 0;
};

/// Serialises as the reference does, byte for byte: dtype descending, then name; compact JSON;
/// `__metadata__` first (when given, even if empty); padded with spaces. Metadata keys are sorted.
/// Throws DuplicateKey, ReservedName, InvalidHeader (a name that is not UTF-8), HeaderTooLarge,
/// ValidationOverflow, MisalignedSlice, InvalidArgument (style).
WB_EXPORT SerializedHeader serialize_header(std::span<const TensorSpec> specs,
                                            const std::optional<Metadata>& metadata = std::nullopt,
                                            const HeaderStyle& style = {});

}  // namespace weighbridge
