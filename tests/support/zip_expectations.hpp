// What tests of archives ask again and again.
#pragma once

#include <string>

#include <weighbridge/error.hpp>
#include <weighbridge/limits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/zip/archive.hpp"
#include "support/zip_builder.hpp"

namespace weighbridge::test {

inline zip::Archive read_archive(const ZipBuilder& zip) { return zip::Archive::read(zip.source(), Limits{}); }

inline std::string read_text(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  std::string text(length, '\0');
  source.read_at(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

/// The whole content of the entry, or a marker that fails any comparison.
inline std::string content(const zip::Archive& archive, std::string_view name) {
  const zip::Entry* entry = archive.find(name);
  return entry == nullptr ? "<no such entry>" : read_text(*archive.open(*entry), 0, entry->bytes);
}

/// Runs `action` and expects an Error of this code whose message matches.
template <typename Action, typename Matcher>
void expect_error(ErrorCode code, const Matcher& message, Action action) {
  try {
    action();
    ADD_FAILURE() << "no error; expected " << error_code_name(code);
  } catch (const Error& error) {
    EXPECT_EQ(error_code_name(error.code()), error_code_name(code)) << error.what();
    EXPECT_THAT(std::string(error.what()), message);
  }
}

template <typename Matcher>
void expect_refused(const ZipBuilder& zip, const Matcher& message,
                    ErrorCode code = ErrorCode::MalformedArchive) {
  expect_error(code, message, [&] { static_cast<void>(read_archive(zip)); });
}

}  // namespace weighbridge::test
