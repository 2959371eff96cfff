// The text form of a slice, as it is written in Python between the brackets.
#include <charconv>

#include <weighbridge/error.hpp>
#include <weighbridge/slice.hpp>

#include <fmt/format.h>

namespace weighbridge {
namespace {

class SliceParser {
 public:
  explicit SliceParser(std::string_view text) : text_(text) {}

  std::vector<SliceIndex> parse() {
    const bool bracketed = accept('[');
    std::vector<SliceIndex> indices;
    while (!at_end(bracketed)) {
      indices.push_back(parse_index());
      if (!accept(',')) break;
    }
    if (bracketed && !accept(']')) fail("expected ',' or ']'");
    skip_spaces();
    if (at_ < text_.size()) fail("expected ',' or the end");
    return indices;
  }

 private:
  SliceIndex parse_index() {
    skip_spaces();
    if (text_.substr(at_).starts_with("...")) {
      at_ += 3;
      return Ellipsis{};
    }
    const auto first = parse_integer();
    if (!accept(':')) {
      if (!first) fail("expected an integer, a range or '...'");
      return At{*first};
    }
    Range range{.start = first, .stop = parse_integer(), .step = 1};
    if (accept(':')) range.step = parse_integer().value_or(1);
    if (range.step < 1) fail("the step must be at least 1");
    return range;
  }

  std::optional<std::int64_t> parse_integer() {
    skip_spaces();
    std::int64_t value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fail("the integer does not fit 64 bits");
    if (error != std::errc()) return std::nullopt;
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  bool accept(char wanted) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool at_end(bool bracketed) {
    skip_spaces();
    return at_ == text_.size() || (bracketed && text_[at_] == ']');
  }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw Error(ErrorCode::InvalidSlice, fmt::format("slice '{}': {} at character {}", text_, what, at_ + 1),
                std::string(text_), at_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<SliceIndex> parse_slice(std::string_view text) { return SliceParser(text).parse(); }

}  // namespace weighbridge
