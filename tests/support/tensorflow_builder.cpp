#include "support/tensorflow_builder.hpp"

#include <span>

#include "base/endian.hpp"
#include "formats/tensorflow/crc32c.hpp"

namespace weighbridge::test {
namespace {

std::string le32(std::uint32_t value) {
  std::string out(4, '\0');
  store_le(out.data(), value);
  return out;
}

std::uint32_t masked_crc(std::string_view bytes) {
  return tensorflow::mask_crc(tensorflow::crc32c(std::as_bytes(std::span(bytes))));
}

/// A literal of any length, its length in four bytes.
std::string pack(std::string_view content) {
  return varint(content.size()) + "\xFC" + le32(static_cast<std::uint32_t>(content.size() - 1)) +
         std::string(content);
}

}  // namespace

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value > 127; value >>= 7) out.push_back(static_cast<char>(value | 0x80U));
  out.push_back(static_cast<char>(value));
  return out;
}

std::string field(std::uint32_t id, std::uint64_t value) { return varint(id * 8) + varint(value); }

std::string field(std::uint32_t id, std::string_view bytes) {
  return varint(id * 8 + 2) + varint(bytes.size()) + std::string(bytes);
}

std::string crc_field(std::uint32_t crc) { return varint(6 * 8 + 5) + le32(crc); }

std::string table_entry(std::uint64_t shared, std::string_view rest, std::string_view value) {
  return varint(shared) + varint(rest.size()) + varint(value.size()) + std::string(rest) + std::string(value);
}

std::string TableBuilder::add_block(std::string& out, const std::string& content) const {
  const std::string whole = content + offsets;
  const std::string stored = snappy ? pack(whole) : whole;
  const std::string handle = varint(out.size()) + varint(stored.size());
  std::string block = stored + (snappy ? '\1' : '\0');
  if (compression >= 0) block.back() = compression;
  out += block + le32(masked_crc(block) + crc_change);
  return handle;
}

std::string TableBuilder::bytes() const {
  std::string out;
  std::string index;
  for (const auto& [key, value] : entries) {
    index += table_entry(0, key, add_block(out, table_entry(0, key, value)));
  }
  const std::string meta = add_block(out, "");
  std::string footer = meta + add_block(out, index);
  footer.resize(40);
  return out + footer + "\x57\xFB\x80\x8B\x24\x75\x47\xDB";
}

std::string shape_message(const Shape& shape) {
  std::string out;
  for (const std::uint64_t size : shape) out += field(2, field(1, size));
  return out;
}

std::string entry_message(std::uint64_t type, const Shape& shape, std::uint64_t shard, std::uint64_t offset,
                          std::string_view content) {
  return field(1, type) + field(2, shape_message(shape)) + field(3, shard) + field(4, offset) +
         field(5, content.size()) + crc_field(masked_crc(content));
}

void CheckpointBuilder::tensor(const std::string& name, std::uint64_t type, const Shape& shape,
                               std::string_view content) {
  table.entries[name] = entry_message(type, shape, 0, data.size(), content);
  data += content;
}

void CheckpointBuilder::whole(const std::string& name, std::uint64_t type, const Shape& shape,
                              const std::vector<std::string>& slices) {
  std::string entry = field(1, type) + field(2, shape_message(shape));
  for (const std::string& slice : slices) entry += field(7, slice);
  table.entries[name] = entry;
}

std::map<std::string, std::string, std::less<>> CheckpointBuilder::files(const std::string& prefix) const {
  TableBuilder index = table;
  index.entries.emplace("", header);
  return {{prefix + ".index", index.bytes()}, {prefix + ".data-00000-of-00001", data}};
}

}  // namespace weighbridge::test
