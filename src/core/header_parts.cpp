#include "core/header_parts.hpp"

#include <algorithm>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge {
namespace {

// Entries are some hundred bytes long, some with long names a thousand.
constexpr std::size_t kSearchedBytes = 4096;

// The first place from `from` on where a member may have ended: that of the ',' behind it.
std::optional<std::size_t> guess_place(const ByteSource& file, std::size_t length, std::size_t from) {
  constexpr std::string_view kEnd = "},";
  std::string text(std::min(kSearchedBytes, length - from), '\0');
  file.read_at(kHeaderStart + from, std::as_writable_bytes(std::span(text)));
  const std::size_t at = text.find(kEnd);
  return at == std::string::npos ? std::nullopt : std::optional(from + at + kEnd.size() - 1);
}

// Where the parts behind the first begin, in their order.
std::vector<std::size_t> guess_places(const ByteSource& file, std::size_t length, const HeaderCrew& crew) {
  const std::size_t most = crew.lanes ? length / crew.least_bytes : 1;
  const std::size_t parts = most > 1 ? crew.lanes(most) : 1;
  std::vector<std::size_t> places;
  for (std::size_t i = 1; i < parts; ++i) {
    const auto place = guess_place(file, length, length / parts * i);
    if (place && (places.empty() || places.back() < *place)) places.push_back(*place);
  }
  return places;
}

// What is read from a guessed place on, until it is known whether it counts. Its names take less of the whole
// text's memory than it takes of the text. Where the part before goes on behind its place, that stands in a
// name, and nothing can be read from there. So no two ever put names at one place.
struct LaterPart {
  LaterPart(const ByteSource& file, std::size_t length, const Limits& limits, Header::Data& whole,
            StreamWindow window, StreamPart part)
      : from(part.from),
        room(std::min(part.until, length) - part.from),
        data(*whole.tensors.get_allocator().resource()),
        stream(file, length, limits, room, data, window, part) {
    data.name_hash = whole.name_hash;
  }

  std::size_t from;
  HeaderRoom room;
  Header::Data data;
  HeaderStream stream;
};

class HeaderParts {
 public:
  HeaderParts(const ByteSource& file, std::size_t length, const Limits& limits, HeaderRoom& room,
              Header::Data& data, StreamWindow window, std::span<const std::size_t> places)
      : room_(room), first_(file, length, limits, room, data, window, {.until = places.front()}) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      StreamPart part{.from = places[i], .text = data.text.get()};
      if (i + 1 < places.size()) part.until = places[i + 1];
      later_.emplace_back(file, length, limits, data, window, part);
    }
  }

  Streamed run(const HeaderCrew::RunJobs& run) {
    run(1 + later_.size(), [this](std::size_t i) { (i == 0 ? first_ : later_[i - 1].stream).take(); });
    while (!later_.empty() && adopt(later_.front())) later_.pop_front();
    later_.clear();  // before all the rest of the text may be needed
    return first_.finish();
  }

 private:
  // A part that takes more room than is left is read again, so that it is told where that ends.
  bool adopt(LaterPart& part) {
    if (first_.place() != part.from || part.data.tensors.empty()) return false;
    if (!room_.take(part.room.taken())) return false;
    first_.adopt(part.stream);
    return true;
  }

  HeaderRoom& room_;
  HeaderStream first_;
  std::deque<LaterPart> later_;
};

}  // namespace

Streamed stream_header(const ByteSource& file, std::size_t length, const Limits& limits, HeaderRoom& room,
                       Header::Data& data, const HeaderCrew& crew, StreamWindow window) {
  const std::vector<std::size_t> places = guess_places(file, length, crew);
  if (!places.empty()) {
    data.text = make_text(length + kTextPadding, *data.tensors.get_allocator().resource());
    return HeaderParts(file, length, limits, room, data, window, places).run(crew.run);
  }
  HeaderStream stream(file, length, limits, room, data, window);
  stream.take();
  return stream.finish();
}

}  // namespace weighbridge
