#include "formats/detect.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace weighbridge {
namespace {

using std::string_view_literals::operator""sv;

struct Signature {
  std::string_view bytes;
  std::string_view what;
};

/// To be read one day.
constexpr std::array kLater = {
    Signature{"PYTORCH1"sv, "containers of PyTorch 1.0 release candidates"},
};

/// No checkpoint, and never to be read.
constexpr std::array kOther = {
    Signature{"7z\xBC\xAF\x27\x1C"sv, "a 7z archive, which is no checkpoint; unpack it first"},
    Signature{"Rar!"sv, "a rar archive, which is no checkpoint; unpack it first"},
    Signature{"\x28\xB5\x2F\xFD"sv, "a zstd-compressed file; unpack it first"},
    Signature{"version https://git-lfs"sv, "a git-lfs pointer: the file itself was not downloaded"},
    Signature{"\x89PNG"sv, "a PNG image"},
    Signature{"\x7F"
              "ELF"sv,
              "an executable (ELF)"},
    Signature{"<"sv, "an HTML or XML document, as downloads leave when they fail"},
    Signature{"PK\x03\x04"sv, "the start of a zip archive whose end is missing"},
};

constexpr std::uint64_t kHeadBytes = 4096;

std::string read_head(const ByteSource& source) {
  std::string head(std::min(source.size(), kHeadBytes), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(head)));
  return head;
}

const Signature* find_signature(std::span<const Signature> table, std::string_view head) {
  const auto found =
      std::ranges::find_if(table, [head](const Signature& row) { return head.starts_with(row.bytes); });
  return found == table.end() ? nullptr : &*found;
}

Error later(std::string_view what) {
  return {ErrorCode::Unsupported, fmt::format("not yet supported: {}", what)};
}

}  // namespace

std::optional<Error> find_foreign_format(const ByteSource& source) {
  const std::string head = read_head(source);
  if (head.empty()) return Error(ErrorCode::UnknownFormat, "the file is empty");
  if (const Signature* row = find_signature(kLater, head)) return later(row->what);
  if (const Signature* row = find_signature(kOther, head)) {
    return Error(ErrorCode::UnknownFormat, fmt::format("this is {}", row->what));
  }
  if (head.front() != '{') return std::nullopt;
  return Error(ErrorCode::UnknownFormat, "this is a JSON document, not a checkpoint");
}

Error unknown_format(const ByteSource& source) {
  const std::string head = read_head(source);
  std::string bytes;
  for (std::size_t i = 0; i < std::min<std::size_t>(head.size(), 8); ++i) {
    bytes += fmt::format(" {:02x}", static_cast<unsigned char>(head[i]));
  }
  return {ErrorCode::UnknownFormat,
          fmt::format("no format that is read here; the file starts with{}", bytes)};
}

}  // namespace weighbridge
