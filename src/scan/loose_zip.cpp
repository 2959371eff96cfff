#include "scan/loose_zip.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/checked.hpp"
#include "base/endian.hpp"
#include "formats/compressed/codecs.hpp"
#include "scan/search.hpp"

namespace weighbridge::scanning {
namespace {

constexpr std::string_view kLocal = "PK\x03\x04";
constexpr std::string_view kCentral = "PK\x01\x02";
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kCentralBytes = 46;

/// A header as far as it says where data lies.
struct Header {
  std::uint16_t method = 0;
  std::uint64_t compressed_bytes = 0;
  std::string name;
  std::uint64_t data = 0;          ///< Local headers: offset of the first byte of data.
  std::uint64_t local_offset = 0;  ///< Central headers: of the local one, as claimed.
};

/// Places of the fields of either kind of header.
struct Layout {
  std::uint64_t bytes;
  std::size_t method;
  std::size_t compressed_bytes;
  std::size_t name_bytes;
};

constexpr Layout kLocalLayout{kLocalBytes, 8, 18, 26};
constexpr Layout kCentralLayout{kCentralBytes, 10, 20, 28};

std::string read_name(const ByteSource& source, std::uint64_t offset, std::uint64_t length) {
  if (!range_fits(offset, length, source.size())) return {};
  std::string name(length, '\0');
  source.read_at(offset, std::as_writable_bytes(std::span(name)));
  return name;
}

std::optional<Header> read_header(const ByteSource& source, std::uint64_t offset, const Layout& layout) {
  if (!range_fits(offset, layout.bytes, source.size())) return std::nullopt;
  const Buffer buffer = source.read(offset, layout.bytes);
  const std::byte* at = buffer.bytes().data();
  Header header;
  header.method = load_le<std::uint16_t>(at + layout.method);
  header.compressed_bytes = load_le<std::uint32_t>(at + layout.compressed_bytes);
  const auto name_bytes = load_le<std::uint16_t>(at + layout.name_bytes);
  const auto extra_bytes = load_le<std::uint16_t>(at + layout.name_bytes + 2);
  header.name = read_name(source, offset + layout.bytes, name_bytes);
  header.data = offset + layout.bytes + name_bytes + extra_bytes;
  if (layout.bytes == kCentralBytes) header.local_offset = load_le<std::uint32_t>(at + 42);
  return header;
}

/// A local header, and where the next header begins.
struct LocalHeader {
  Header header;
  std::uint64_t next = 0;
};

using LocalHeaders = std::map<std::uint64_t, LocalHeader>;  // By their offset.

LocalHeaders find_locals(const ByteSource& source, std::uint64_t directory, std::size_t most) {
  LocalHeaders found;
  std::uint64_t next = source.size();
  const std::vector<std::uint64_t> offsets = find_all(source, kLocal, most);
  for (auto offset = offsets.rbegin(); offset != offsets.rend(); ++offset) {
    const auto header = read_header(source, *offset, kLocalLayout);
    const bool before_directory = *offset < directory;
    if (header)
      found.emplace(*offset, LocalHeader{*header, before_directory ? std::min(next, directory) : next});
    next = *offset;
  }
  return found;
}

/// Collects every different way to read the same bytes.
class Ways {
 public:
  Ways(std::uint64_t file_bytes, std::size_t most) : file_bytes_(file_bytes), most_(most) {}

  /// A size that is not said, or cannot be true, reaches to where the next header begins.
  void add(const Header& header, std::uint64_t data, std::uint64_t next) {
    if (data > file_bytes_ || entries_.size() >= most_) return;
    const bool sized = header.compressed_bytes != 0 && range_fits(data, header.compressed_bytes, file_bytes_);
    const std::uint64_t end = sized ? data + header.compressed_bytes : std::max(data, next);
    if (!seen_.emplace(data, end, header.method).second) return;
    entries_.push_back({header.name, header.method, data, end});
  }

  [[nodiscard]] std::vector<LooseEntry> take() && { return std::move(entries_); }

 private:
  std::uint64_t file_bytes_;
  std::size_t most_;
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint16_t>> seen_;
  std::vector<LooseEntry> entries_;
};

/// As much of a deflated stream as there is, damaged or not.
SourcePtr inflate_loosely(const ByteSource& data, std::uint64_t most) {
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  const auto decoder = compressed::make_deflate_decoder(compressed::DeflateFraming::Raw);
  std::vector<std::byte> content;
  std::uint64_t at = 0;
  while (content.size() < most) {
    const Buffer in = data.read(at, std::min<std::uint64_t>(kPiece, data.size() - at));
    const std::size_t filled = content.size();
    content.resize(filled + kPiece);
    const auto step =
        decoder->step(in.bytes(), std::span(content).subspan(filled), at + in.size() == data.size());
    content.resize(filled + step.produced);
    at += step.consumed;
    const bool stuck = step.consumed == 0 && step.produced == 0;
    if (step.ended || !step.damage.empty() || stuck) break;
  }
  return memory_source(Buffer::take(std::move(content)));
}

}  // namespace

std::vector<LooseEntry> find_loose_entries(const ByteSource& source, std::size_t most) {
  const std::vector<std::uint64_t> centrals = find_all(source, kCentral, most);
  const std::uint64_t directory = centrals.empty() ? source.size() : centrals.front();
  const LocalHeaders locals = find_locals(source, directory, most);
  Ways ways(source.size(), most);
  for (const auto& [offset, local] : locals) ways.add(local.header, local.header.data, local.next);
  // With bytes before the archive, offsets may count from behind them.
  const std::uint64_t prefix = locals.empty() ? 0 : locals.begin()->first;
  for (const std::uint64_t offset : centrals) {
    const auto central = read_header(source, offset, kCentralLayout);
    if (!central) continue;
    for (const std::uint64_t bias : {std::uint64_t{0}, prefix}) {
      const auto local = locals.find(central->local_offset + bias);
      if (local != locals.end()) ways.add(*central, local->second.header.data, local->second.next);
    }
  }
  return std::move(ways).take();
}

SourcePtr open_loose_entry(const SourcePtr& source, const LooseEntry& entry, std::uint64_t most) {
  constexpr std::uint16_t kDeflated = 8;
  SourcePtr data = sub_source(source, entry.begin, entry.end - entry.begin);
  if (entry.method == 0) return data;
  return entry.method == kDeflated ? inflate_loosely(*data, most) : nullptr;
}

}  // namespace weighbridge::scanning
