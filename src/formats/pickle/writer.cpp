#include "formats/pickle/writer.hpp"

#include <array>
#include <bit>
#include <limits>

#include "base/endian.hpp"

namespace weighbridge::pickle {

Writer::Writer() : stream_("\x80\x02") {}

template <typename T>
void Writer::little_endian(T value) {
  std::array<char, sizeof(T)> bytes{};
  store_le(bytes.data(), value);
  stream_.append(bytes.data(), bytes.size());
}

void Writer::integer(std::int64_t value) {
  if (value >= 0 && value <= UINT8_MAX) {
    stream_ += 'K';
    little_endian(static_cast<std::uint8_t>(value));
  } else if (value >= 0 && value <= UINT16_MAX) {
    stream_ += 'M';
    little_endian(static_cast<std::uint16_t>(value));
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    stream_ += 'J';
    little_endian(static_cast<std::int32_t>(value));
  } else {
    std::array<std::byte, sizeof value> bytes{};
    store_le(bytes.data(), value);
    long_integer(bytes);
  }
}

void Writer::long_integer(std::span<const std::byte> bytes) {
  stream_ += '\x8a';
  little_endian(static_cast<std::uint8_t>(bytes.size()));
  stream_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void Writer::real(double value) {
  stream_ += 'G';
  little_endian(reverse_bytes(std::bit_cast<std::uint64_t>(value)));
}

void Writer::text(std::string_view value) {
  stream_ += 'X';
  little_endian(static_cast<std::uint32_t>(value.size()));
  stream_ += value;
}

void Writer::repeated_text(std::string_view value) {
  if (const auto known = texts_.find(value); known != texts_.end()) return get(known->second);
  text(value);
  texts_.emplace(value, put());
}

void Writer::global(std::string_view module, std::string_view name) {
  std::pair key{std::string(module), std::string(name)};
  if (const auto known = globals_.find(key); known != globals_.end()) return get(known->second);
  stream_ += 'c';
  stream_ += module;
  stream_ += '\n';
  stream_ += name;
  stream_ += '\n';
  globals_.emplace(std::move(key), put());
}

Writer::Memo Writer::put() {
  if (next_ <= UINT8_MAX) {
    stream_ += 'q';
    little_endian(static_cast<std::uint8_t>(next_));
  } else {
    stream_ += 'r';
    little_endian(next_);
  }
  return next_++;
}

void Writer::get(Memo memo) {
  if (memo <= UINT8_MAX) {
    stream_ += 'h';
    little_endian(static_cast<std::uint8_t>(memo));
  } else {
    stream_ += 'j';
    little_endian(memo);
  }
}

std::string Writer::finish() && {
  stream_ += '.';
  return std::move(stream_);
}

}  // namespace weighbridge::pickle
