#include "formats/onnx/entries.hpp"

namespace weighbridge::onnx {
namespace {

Wire wire_of(Entries entries) {
  if (entries == Entries::Float) return Wire::Fixed32;
  return entries == Entries::Double ? Wire::Fixed64 : Wire::Varint;
}

}  // namespace

EntryReader::EntryReader(Window& window, Extent message, std::uint32_t number, Entries entries)
    : window_(&window),
      end_(message.end),
      number_(number),
      wire_(wire_of(entries)),
      place_{.at = message.begin, .packed_end = 0} {}

std::optional<std::uint64_t> EntryReader::next() {
  while (place_.packed_end == 0 || place_.at >= place_.packed_end) {
    place_.packed_end = 0;
    if (!find_field()) return std::nullopt;
  }
  return read_one();
}

/// Moves to the next entry: into a packed field, or to the number of one that is not.
bool EntryReader::find_field() {
  while (place_.at < end_) {
    FieldReader reader(*window_, {.begin = place_.at, .end = end_});
    const Field field = *reader.next();
    if (field.number != number_) {
      place_.at = field.content.end;
      continue;
    }
    if (field.wire != Wire::Bytes) require_wire(field, wire_, "a number in the data of a tensor");
    place_ = {.at = field.content.begin, .packed_end = field.content.end};
    return true;
  }
  return false;
}

std::uint64_t EntryReader::read_one() {
  if (wire_ == Wire::Varint) return read_varint(*window_, place_.at, place_.packed_end);
  return read_fixed(*window_, place_.at, place_.packed_end, wire_ == Wire::Fixed32 ? 4 : 8);
}

}  // namespace weighbridge::onnx
