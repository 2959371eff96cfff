// A JSON text as an arena of nodes: for the sidecars and indexes that stand beside checkpoints, and for
// model.json in archives of old TorchScript.
//
// They are foreign bytes like any other: the number of values and their depth are bounded while
// they are read, and nothing recurses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weighbridge::json {

enum class Kind : std::uint8_t { Null, Bool, Integer, Real, String, Array, Object };

using Node = std::uint32_t;
inline constexpr Node kNone = UINT32_MAX;

struct Bounds {
  std::uint64_t values = 50'000'000;
  std::uint32_t depth = 512;
};

/// Immutable once it is parsed. Node 0 is the root. Every function REQUIRES a node of this document.
class Document {
 public:
  [[nodiscard]] Kind kind(Node node) const noexcept { return nodes_[node].kind; }
  // REQUIRES the kind in the name.
  [[nodiscard]] bool boolean(Node node) const noexcept { return nodes_[node].body.boolean; }
  [[nodiscard]] std::int64_t integer(Node node) const noexcept { return nodes_[node].body.integer; }
  [[nodiscard]] double real(Node node) const noexcept { return nodes_[node].body.real; }
  [[nodiscard]] std::string_view string(Node node) const noexcept { return view(nodes_[node].body.text); }

  /// The key of a member of an object; empty for every other node.
  [[nodiscard]] std::string_view key(Node node) const noexcept { return view(nodes_[node].key); }
  /// The first element or member, kNone when there is none.
  [[nodiscard]] Node first(Node node) const noexcept;
  /// The element or member behind this one, kNone behind the last.
  [[nodiscard]] Node next(Node node) const noexcept { return nodes_[node].next; }
  /// The member of that key, kNone when there is none or the node is no object. Linear.
  [[nodiscard]] Node find(Node object, std::string_view key) const noexcept;
  [[nodiscard]] bool is_string(Node node) const noexcept {
    return node != kNone && kind(node) == Kind::String;
  }

 private:
  friend class Builder;

  struct Text {
    std::uint64_t begin;
    std::uint64_t bytes;
  };
  union Body {
    bool boolean;
    std::int64_t integer;
    double real;
    Text text;
    Node first;
  };
  struct Item {
    Kind kind;
    Node next;
    Text key;
    Body body;
  };

  [[nodiscard]] std::string_view view(Text text) const noexcept {
    return std::string_view(pool_).substr(text.begin, text.bytes);
  }

  std::vector<Item> nodes_;
  std::string pool_;
};

/// Throws MalformedCheckpoint for what is no JSON, for an object with a key twice and for an integer
/// beyond 64 bits, LimitExceeded for a bound that is crossed. `what` names the text: "the sidecar".
Document parse(std::string_view text, std::string_view what, const Bounds& bounds = {});

}  // namespace weighbridge::json
