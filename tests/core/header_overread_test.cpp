// Headers whose last byte, or the padding behind it, is the last byte of readable memory: a scanner
// that looks one byte too far is killed here.
#include <cstring>

#include <weighbridge/header.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/header_dsl.hpp"
#include "core/header_scan.hpp"

namespace weighbridge {
namespace {

// A copy of some bytes right in front of a page that cannot be read.
class GuardedBytes {
 public:
  explicit GuardedBytes(std::string_view bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t room = (bytes.size() + page - 1) / page * page;
    size_ = room + page;
    void* start = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) throw std::bad_alloc();
    start_ = static_cast<char*>(start);
    if (mprotect(start_ + room, page, PROT_NONE) != 0) throw std::bad_alloc();
    bytes_ = {start_ + room - bytes.size(), bytes.size()};
    std::memcpy(bytes_.data(), bytes.data(), bytes.size());
  }
  ~GuardedBytes() { munmap(start_, size_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(bytes_); }
  [[nodiscard]] std::span<char> text() const { return bytes_; }

 private:
  char* start_ = nullptr;
  std::size_t size_ = 0;
  std::span<char> bytes_;
};

std::string rich_header() {
  return R"({"__metadata__":{"k\n":"\ud83d\ude00"},"n\u0061me":{"dtype":"F32","x":[1e5,{"y":null,"z":[true]}],)"
         R"("shape":[12,3],"data_offsets":[0,144]}}   )";
}

std::string usual_header() {
  return R"({"name":{"dtype":"F32","shape":[12,3],"data_offsets":[0,144]},)"
         R"("other": {"data_offsets": [144, 145], "shape": [1], "dtype": "U8"}}   )";
}

TEST(HeaderOverread, TheScanStaysInsideTheText) {
  for (const std::string& header : {rich_header(), usual_header()}) {
    for (std::size_t length = 0; length <= header.size(); ++length) {
      const GuardedBytes guarded(header.substr(0, length) + std::string(kTextPadding, '\0'));
      HeaderReport report;
      HeaderRoom room(length);
      Header::Data data;
      const auto error =
          test::error_of([&] { scan_header(guarded.text().first(length), {}, room, report, data); });
      EXPECT_EQ(error.has_value(), length + 3 < header.size()) << length;
    }
  }
}

TEST(HeaderOverread, TheScanStaysInsideATextOfOneUnendingPiece) {
  for (const std::string start : {"{\"", "{\"a\":{\"dtype\":\"", "{\"a\":{\"shape\":[", "{ "}) {
    for (std::size_t length = 0; length < 64; ++length) {
      const std::string text = start + std::string(length, start.back() == ' ' ? ' ' : '1');
      const GuardedBytes guarded(text + std::string(kTextPadding, '\0'));
      HeaderReport report;
      HeaderRoom room(text.size());
      Header::Data data;
      EXPECT_TRUE(
          test::error_of([&] { scan_header(guarded.text().first(text.size()), {}, room, report, data); }));
    }
  }
}

TEST(HeaderOverread, NothingBehindTheGivenBytesIsRead) {
  const GuardedBytes file(test::file_of(rich_header()));
  EXPECT_EQ(parse_header(file.bytes(), file.bytes().size() + 144).size(), 1U);
}

TEST(HeaderOverread, NothingBehindAShortPrefixIsRead) {
  const std::string whole = test::file_of(rich_header());
  for (std::size_t length = 0; length < 16; ++length) {
    const GuardedBytes prefix(whole.substr(0, length));
    EXPECT_TRUE(test::error_of([&] { parse_header(prefix.bytes(), whole.size() + 144); })) << length;
  }
}

}  // namespace
}  // namespace weighbridge
