// Writes tar archives for tests: sound ones as Python would, and ones that lie.
//
//   TarBuilder tar;
//   tar.add("weights.th", content);
//   tar.add("link", "").type = '2';
//   SourcePtr source = tar.source();
#pragma once

#include <deque>
#include <optional>
#include <string>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::test {

struct TarMember {
  std::string name;
  std::string content;
  char type = '0';
  std::string prefix;
  std::string magic = std::string("ustar\00000", 8);
  std::optional<std::string> size;      ///< The field of 12 bytes, in place of the true one.
  std::optional<std::string> checksum;  ///< The field of 8 bytes.
};

class TarBuilder {
 public:
  /// Members are written in this order. The reference stays valid.
  TarMember& add(std::string name, std::string content);

  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] SourcePtr source() const;

  std::string end = std::string(1024, '\0');  ///< What stands behind the last member.

 private:
  std::deque<TarMember> members_;
};

/// A record of an extended header: "<length> <key>=<value>\n".
std::string pax_record(const std::string& key, const std::string& value);

}  // namespace weighbridge::test
