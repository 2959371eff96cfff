// Headers for tests: the text of a header in, the bytes of a file or a verdict out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/header.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/endian.hpp"

namespace weighbridge::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Length, header, and `data_bytes` zeros.
inline std::string file_of(std::string_view header, std::uint64_t data_bytes = 0) {
  std::string file(8, '\0');
  store_le<std::uint64_t>(file.data(), header.size());
  file.append(header);
  file.append(data_bytes, '\0');
  return file;
}

inline SourcePtr source_of(std::string_view header, std::uint64_t data_bytes = 0) {
  return memory_source(Buffer::take(file_of(header, data_bytes)));
}

/// Parses `header` as that of a file with `data_bytes` bytes of data, which need not exist.
inline Header parse(std::string_view header, std::uint64_t data_bytes = 0, const Limits& limits = {}) {
  const std::string file = file_of(header);
  return parse_header(bytes_of(file), file.size() + data_bytes, limits);
}

/// `"name":{"dtype":…,"shape":[…],"data_offsets":[begin,end]}`
inline std::string entry(std::string_view name, std::string_view dtype, const Shape& shape,
                         std::uint64_t begin, std::uint64_t end) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", name, dtype,
                     fmt::join(shape, ","), begin, end);
}

inline std::string header_of(const std::vector<std::string>& members) {
  return fmt::format("{{{}}}", fmt::join(members, ","));
}

/// The error that `act` throws, if any.
template <typename Act>
std::optional<Error> error_of(Act&& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

inline std::optional<Error> parse_error(std::string_view header, std::uint64_t data_bytes = 0,
                                        const Limits& limits = {}) {
  return error_of([&] { parse(header, data_bytes, limits); });
}

/// The name of the error that parsing gives, or "OK".
inline std::string verdict(std::string_view header, std::uint64_t data_bytes = 0, const Limits& limits = {}) {
  const auto error = parse_error(header, data_bytes, limits);
  return error ? std::string(error_code_name(error->code())) : "OK";
}

/// "code@offset" of every finding of that severity.
inline std::vector<std::string> codes_of(const Findings& findings, Severity severity) {
  std::vector<std::string> codes;
  for (const Finding& finding : findings) {
    if (finding.severity == severity) codes.push_back(finding.code);
  }
  return codes;
}

}  // namespace weighbridge::test
