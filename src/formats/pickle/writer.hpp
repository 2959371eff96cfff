// Writes pickle streams of protocol 2, with the opcodes that a careful loader admits.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace weighbridge::pickle {

/// Every function appends one value or one operation on the values before it.
class Writer {
 public:
  /// A number under which a value is found again.
  using Memo = std::uint32_t;

  Writer();

  void none() { stream_ += 'N'; }
  void boolean(bool value) { stream_ += value ? '\x88' : '\x89'; }
  void integer(std::int64_t value);
  /// Two's complement, little-endian, up to 255 bytes.
  void long_integer(std::span<const std::byte> bytes);
  void real(double value);
  /// UTF-8, surrogates as three bytes each. REQUIRES: less than 4 GiB.
  void text(std::string_view value);
  /// The text and its memo: said once, found again afterwards.
  void repeated_text(std::string_view value);
  void global(std::string_view module, std::string_view name);
  void empty_list() { stream_ += ']'; }
  void empty_dict() { stream_ += '}'; }
  void empty_tuple() { stream_ += ')'; }

  void mark() { stream_ += '('; }
  /// A tuple of all values behind the mark.
  void tuple() { stream_ += 't'; }
  void tuple1() { stream_ += '\x85'; }
  void append_marked() { stream_ += 'e'; }
  void set_marked() { stream_ += 'u'; }
  void reduce() { stream_ += 'R'; }
  void build() { stream_ += 'b'; }
  void persistent() { stream_ += 'Q'; }

  /// Remembers the value on top.
  Memo put();
  void get(Memo memo);

  [[nodiscard]] std::size_t size() const noexcept { return stream_.size(); }
  /// The stream with its end.
  std::string finish() &&;

 private:
  template <typename T>
  void little_endian(T value);

  std::string stream_;
  Memo next_ = 0;
  std::map<std::pair<std::string, std::string>, Memo> globals_;
  std::map<std::string, Memo, std::less<>> texts_;
};

}  // namespace weighbridge::pickle
