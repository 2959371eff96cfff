#include "formats/onnx/typed_source.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/endian.hpp"
#include "formats/onnx/entries.hpp"

namespace weighbridge::onnx {
namespace {

/// A reading can be taken up again after this many entries, or bytes of the file.
constexpr std::uint64_t kEntriesApart = 4096;
constexpr std::uint64_t kBytesApart = 1 << 20;

/// How entries become bytes: each a unit of some bytes, or four of 6 bits together one of three bytes.
struct Packing {
  std::uint32_t entries = 1;
  std::uint32_t bytes = 1;
};

Packing packing_of(const ElementType& type) {
  if (type.entry_bits == 6) return {.entries = 4, .bytes = 3};
  return {.entries = 1, .bytes = type.entry_bits / 8};
}

struct Waypoint {
  std::uint64_t entry = 0;
  EntryPlace place = {};
};

struct Layout {
  Extent message;
  std::uint32_t field = 0;
  ElementType type;
  std::uint64_t bytes = 0;
  std::vector<Waypoint> waypoints;
};

/// A pass over the entries from some place on.
class Decoder {
 public:
  Decoder(const ByteSource& file, const Layout& layout)
      : window_(file), reader_(window_, layout.message, layout.field, layout.type.entries), layout_(layout) {}

  /// Moves to the unit of that number.
  void seek(std::uint64_t unit) {
    const std::uint64_t entry = unit * packing_of(layout_.type).entries;
    const auto after = std::ranges::upper_bound(layout_.waypoints, entry, {}, &Waypoint::entry);
    const Waypoint& from = *std::prev(after);
    reader_.go_to(from.place);
    for (std::uint64_t at = from.entry; at < entry; ++at) get();
  }

  /// The bytes of the next unit: of the last one maybe more than the tensor has.
  std::uint64_t next_unit() {
    const Packing packing = packing_of(layout_.type);
    if (packing.entries == 1) return get();
    std::uint64_t bits = 0;
    for (std::uint32_t i = 0; i < packing.entries; ++i) {
      bits |= (reader_.next().value_or(0) & 0x3F) << (6 * i);
    }
    return bits;
  }

 private:
  std::uint64_t get() {
    if (const auto entry = reader_.next()) return *entry;
    throw Error(ErrorCode::IoError, "the file changed while it was read");
  }

  Window window_;
  EntryReader reader_;
  const Layout& layout_;
};

class TypedSource final : public ByteSource {
 public:
  TypedSource(SourcePtr file, Layout layout) : file_(std::move(file)), layout_(std::move(layout)) {}

  std::uint64_t size() const override { return layout_.bytes; }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    check_range(offset, out.size());
    if (out.empty()) return;
    const std::uint32_t width = packing_of(layout_.type).bytes;
    Decoder decoder(*file_, layout_);
    decoder.seek(offset / width);
    std::uint64_t skipped = offset % width;
    while (!out.empty()) {
      std::array<std::byte, 8> unit{};
      store_le(unit.data(), decoder.next_unit());
      const auto bytes = std::min<std::uint64_t>(width - skipped, out.size());
      std::copy_n(unit.begin() + static_cast<std::ptrdiff_t>(skipped), bytes, out.begin());
      out = out.subspan(static_cast<std::size_t>(bytes));
      skipped = 0;
    }
  }

 private:
  SourcePtr file_;
  Layout layout_;
};

/// Integers may be written as signed or as unsigned numbers of their width.
bool fits(std::uint64_t entry, const ElementType& type) {
  if (type.entry_bits == 64 || type.entries == Entries::Float || type.entries == Entries::Double) return true;
  const std::uint64_t span = std::uint64_t{1} << type.entry_bits;
  if (type.entries == Entries::Uint64) return entry < span;
  const auto low = static_cast<std::int64_t>(static_cast<std::int32_t>(static_cast<std::uint32_t>(entry)));
  if (type.entry_bits == 32) return true;
  return low < static_cast<std::int64_t>(span) && low >= -static_cast<std::int64_t>(span / 2);
}

std::uint64_t entries_of(const TensorProto& tensor, const ElementType& type) {
  const std::uint64_t bytes = data_bytes(tensor, type);
  if (type.entry_bits == 6) return element_count(tensor.dims);
  return bytes / (type.entry_bits / 8);
}

/// Counts and checks the entries, and notes places in between.
void survey(Window& window, const TensorProto& tensor, std::uint64_t wanted, Layout& layout) {
  EntryReader reader(window, layout.message, layout.field, layout.type.entries);
  std::uint64_t count = 0;
  for (;; ++count) {
    const EntryPlace place = reader.place();
    const bool far =
        layout.waypoints.empty() || count - layout.waypoints.back().entry >= kEntriesApart ||
        (place.at - layout.waypoints.back().place.at >= kBytesApart && count > layout.waypoints.back().entry);
    if (far) layout.waypoints.push_back({.entry = count, .place = place});
    const auto entry = reader.next();
    if (!entry) break;
    if (count == wanted)
      refuse_tensor(tensor, fmt::format("{} {} needs {} entries, more are there", layout.type.name,
                                        shape_text(tensor.dims), wanted));
    if (fits(*entry, layout.type)) continue;
    refuse_tensor(tensor, fmt::format("its entry {} is {}, which is no {}", count,
                                      static_cast<std::int64_t>(*entry), layout.type.name));
  }
  if (count == wanted) return;
  refuse_tensor(tensor, fmt::format("{} {} needs {} entries, {} are there", layout.type.name,
                                    shape_text(tensor.dims), wanted, count));
}

}  // namespace

TypedData open_typed(const SourcePtr& file, Window& window, const TensorProto& tensor,
                     const ElementType& type) {
  const std::uint32_t field = tensor.list_field != 0 ? tensor.list_field : field_of(type.entries);
  if (tensor.typed != std::vector{field}) {
    refuse_tensor(tensor, fmt::format("the data of {} is in another field than that of its type", type.name));
  }
  Layout layout{.message = tensor.message,
                .field = field,
                .type = type,
                .bytes = data_bytes(tensor, type),
                .waypoints = {}};
  const std::uint64_t wanted = entries_of(tensor, type);
  const bool as_they_are = type.entries == Entries::Float || type.entries == Entries::Double;
  if (as_they_are && tensor.packed) {
    if (tensor.packed->size() == layout.bytes) return {.source = file, .offset = tensor.packed->begin};
    refuse_tensor(tensor, fmt::format("{} {} needs {} bytes, {} are there", type.name,
                                      shape_text(tensor.dims), layout.bytes, tensor.packed->size()));
  }
  survey(window, tensor, wanted, layout);
  return {.source = std::make_shared<TypedSource>(file, std::move(layout)), .offset = 0};
}

}  // namespace weighbridge::onnx
