#include "formats/json/document.hpp"

#include <algorithm>
#include <limits>

#include <weighbridge/error.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace weighbridge::json {

/// Receives the parser's events. The parser keeps its own place in a vector, not on the stack.
class Builder {
 public:
  using number_integer_t = std::int64_t;
  using number_unsigned_t = std::uint64_t;
  using number_float_t = double;
  using string_t = std::string;
  using binary_t = nlohmann::json::binary_t;

  Builder(std::string_view what, const Bounds& bounds) : what_(what), bounds_(bounds) {}

  bool null() { return add(Kind::Null, {.integer = 0}); }
  bool boolean(bool value) { return add(Kind::Bool, {.boolean = value}); }
  bool number_integer(std::int64_t value) { return add(Kind::Integer, {.integer = value}); }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      throw malformed(fmt::format("the number {} does not fit 64 bits with a sign", value));
    }
    return number_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string& /*digits*/) { return add(Kind::Real, {.real = value}); }
  bool string(std::string& value) { return add(Kind::String, {.text = store(value)}); }
  bool binary(binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*unknown*/) { return open(Kind::Object); }
  bool start_array(std::size_t /*unknown*/) { return open(Kind::Array); }
  bool key(std::string& value) {
    key_ = store(value);
    return true;
  }
  bool end_object() {
    refuse_repeated_key(open_.back().node);
    open_.pop_back();
    return true;
  }
  bool end_array() {
    open_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception&) {
    throw malformed(
        fmt::format("no JSON from byte {} on, at '{}'", position, printable(token.substr(0, 32))));
  }

  Document take() && { return std::move(document_); }

 private:
  struct Open {
    Node node;
    Node last;
  };

  Error malformed(const std::string& how) const {
    return {ErrorCode::MalformedCheckpoint, fmt::format("{}: {}", what_, how)};
  }

  Document::Text store(const std::string& text) {
    const Document::Text stored{.begin = document_.pool_.size(), .bytes = text.size()};
    document_.pool_ += text;
    return stored;
  }

  bool add(Kind kind, Document::Body body) {
    auto& nodes = document_.nodes_;
    if (nodes.size() >= bounds_.values || nodes.size() >= kNone) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("{}: more than {} values", what_, bounds_.values));
    }
    const auto node = static_cast<Node>(nodes.size());
    nodes.push_back({.kind = kind, .next = kNone, .key = key_, .body = body});
    key_ = {};
    if (open_.empty()) return true;
    Open& parent = open_.back();
    (parent.last == kNone ? nodes[parent.node].body.first : nodes[parent.last].next) = node;
    parent.last = node;
    return true;
  }

  bool open(Kind kind) {
    if (open_.size() >= bounds_.depth) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("{}: values are more than {} deep", what_, bounds_.depth));
    }
    add(kind, {.first = kNone});
    open_.push_back({static_cast<Node>(document_.nodes_.size() - 1), kNone});
    return true;
  }

  /// By sorting, so that no choice of keys makes it slow.
  void refuse_repeated_key(Node object) const {
    std::vector<std::string_view> keys;
    for (Node at = document_.first(object); at != kNone; at = document_.next(at)) {
      keys.push_back(document_.key(at));
    }
    std::ranges::sort(keys);
    const auto repeated = std::ranges::adjacent_find(keys);
    if (repeated == keys.end()) return;
    throw malformed(fmt::format("the key '{}' occurs twice in an object", printable(*repeated)));
  }

  std::string_view what_;
  const Bounds& bounds_;
  Document document_;
  std::vector<Open> open_;
  Document::Text key_ = {};
};

Node Document::first(Node node) const noexcept {
  const bool holds = kind(node) == Kind::Array || kind(node) == Kind::Object;
  return holds ? nodes_[node].body.first : kNone;
}

Node Document::find(Node object, std::string_view key) const noexcept {
  if (object == kNone || kind(object) != Kind::Object) return kNone;
  Node at = first(object);
  while (at != kNone && this->key(at) != key) at = next(at);
  return at;
}

Document parse(std::string_view text, std::string_view what, const Bounds& bounds) {
  Builder builder(what, bounds);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    throw Error(ErrorCode::MalformedCheckpoint, fmt::format("{}: no JSON", what));
  }
  return std::move(builder).take();
}

}  // namespace weighbridge::json
