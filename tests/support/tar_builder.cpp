#include "support/tar_builder.hpp"

#include <fmt/format.h>

namespace weighbridge::test {
namespace {

void put(std::string& block, std::size_t offset, const std::string& field) {
  block.replace(offset, field.size(), field);
}

std::string checksum_of(std::string block) {
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  return fmt::format("{:06o}", sum) + std::string("\0 ", 2);
}

std::string header_of(const TarMember& member) {
  std::string block(512, '\0');
  put(block, 0, member.name);
  put(block, 100, "0000644");
  put(block, 124, member.size.value_or(fmt::format("{:011o}", member.content.size())));
  put(block, 136, "00000000000");
  block[156] = member.type;
  put(block, 257, member.magic);
  put(block, 345, member.prefix);
  put(block, 148, member.checksum.value_or(checksum_of(block)));
  return block;
}

}  // namespace

TarMember& TarBuilder::add(std::string name, std::string content) {
  TarMember member;
  member.name = std::move(name);
  member.content = std::move(content);
  return members_.emplace_back(std::move(member));
}

std::string TarBuilder::bytes() const {
  std::string out;
  for (const TarMember& member : members_) {
    out += header_of(member) + member.content;
    out.resize((out.size() + 511) / 512 * 512, '\0');
  }
  return out + end;
}

SourcePtr TarBuilder::source() const { return memory_source(Buffer::take(bytes())); }

std::string pax_record(const std::string& key, const std::string& value) {
  const std::string rest = fmt::format(" {}={}\n", key, value);
  std::size_t length = rest.size() + 1;
  while (fmt::to_string(length).size() + rest.size() != length) {
    length = fmt::to_string(length).size() + rest.size();
  }
  return fmt::to_string(length) + rest;
}

}  // namespace weighbridge::test
