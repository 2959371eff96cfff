// What a pickle stream describes, as inert data: an arena of nodes addressed by id.
//
// Nothing here can call, import or construct anything. A container that occurs twice is one node
// with two references, so a stream of n bytes gives at most n nodes, however often they are nested.
// Graphs may be cyclic: walks need a visited set or a depth bound.
//
// A finished Graph never changes; any number of threads may read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weighbridge/byte_source.hpp>

#include "formats/pickle/globals.hpp"

namespace weighbridge::pickle {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = UINT32_MAX;

enum class Kind : std::uint8_t {
  None,
  Bool,
  Int,     ///< Fits 64 bits, signed.
  BigInt,  ///< Any other integer: payload is two's complement, little-endian.
  Float,
  Text,       ///< str: UTF-8, lone surrogates passed through as three bytes.
  Py2String,  ///< str of Python 2: bytes that are text by convention.
  Bytes,
  ByteArray,
  List,
  Tuple,
  Dict,
  Set,
  FrozenSet,
  Global,      ///< A name of a class or function; never resolved.
  Call,        ///< REDUCE: callable and arguments.
  Object,      ///< NEWOBJ, NEWOBJ_EX, INST, OBJ: class and arguments.
  Persistent,  ///< A persistent id, for the container to understand.
};

/// A use of a global name, in stream order. The names live as long as the Graph: a stream may use one
/// name in millions of opcodes.
struct GlobalUse {
  std::string_view module;  ///< As normalised: __builtin__ is builtins, and so on.
  std::string_view name;
  std::uint64_t offset = 0;  ///< Byte of the source where the opcode stands.
  GlobalClass verdict = GlobalClass::Inert;
};

/// Movable, not copyable. Every function REQUIRES: id < size().
class Graph {
 public:
  Graph() = default;
  Graph(Graph&&) noexcept = default;
  Graph& operator=(Graph&&) noexcept = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() = default;

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] Kind kind(NodeId id) const noexcept;
  /// Byte of the source where the opcode that made the node stands.
  [[nodiscard]] std::uint64_t offset(NodeId id) const noexcept;

  // Scalars. REQUIRES the kind in the name.
  [[nodiscard]] bool boolean(NodeId id) const noexcept;
  [[nodiscard]] std::int64_t integer(NodeId id) const noexcept;
  [[nodiscard]] double real(NodeId id) const noexcept;

  // Text, Py2String, Bytes, ByteArray, BigInt.
  [[nodiscard]] std::uint64_t payload_size(NodeId id) const noexcept;
  /// The payload when it is short (up to 64 KiB) or was decoded; empty for a long one, which stays
  /// in the source.
  [[nodiscard]] std::string_view text(NodeId id) const noexcept;
  /// The payload of any length as a source.
  [[nodiscard]] SourcePtr payload(NodeId id) const;

  /// Elements of List, Tuple, Set, FrozenSet; key, value, key, value, ... of Dict, as the stream set
  /// them: a key may come again, and its last value counts. For Call and Object: what APPEND(S) added.
  /// Empty for every other kind.
  [[nodiscard]] std::span<const NodeId> items(NodeId id) const noexcept;
  /// Call and Object: key, value, ... that SETITEM(S) added (subclasses of dict).
  [[nodiscard]] std::span<const NodeId> dict_items(NodeId id) const noexcept;

  // Call and Object.
  [[nodiscard]] NodeId callable(NodeId id) const noexcept;   ///< Any node; usually a Global.
  [[nodiscard]] NodeId arguments(NodeId id) const noexcept;  ///< A Tuple, or kNoNode.
  [[nodiscard]] NodeId keywords(NodeId id) const noexcept;   ///< A Dict (NEWOBJ_EX), or kNoNode.
  /// The argument of BUILD for any node, kNoNode when there was none; of several, the last.
  [[nodiscard]] NodeId state(NodeId id) const noexcept;
  /// For a Dict or List made by a call (OrderedDict, defaultdict, deque, ...): that Global; otherwise
  /// kNoNode.
  [[nodiscard]] NodeId origin(NodeId id) const noexcept;

  /// What such a call was given beside the content: the factory of a defaultdict, the greatest length of a
  /// deque; otherwise kNoNode.
  [[nodiscard]] NodeId setting(NodeId id) const noexcept;

  // Global.
  [[nodiscard]] std::string_view module(NodeId id) const noexcept;
  [[nodiscard]] std::string_view name(NodeId id) const noexcept;
  /// What the closed table makes of a Global; Constructor::None for every name that is not in it.
  [[nodiscard]] Constructor constructor(NodeId id) const noexcept;

  /// Persistent: the id, mostly a Tuple.
  [[nodiscard]] NodeId persistent_id(NodeId id) const noexcept;

  /// Every global that the stream names, in order, once per opcode; a folded getattr counts as one.
  [[nodiscard]] const std::vector<GlobalUse>& globals() const noexcept { return globals_; }

 private:
  friend class GraphBuilder;

  /// Where a payload lies.
  enum class Place : std::uint8_t {
    Pool,    // pool_, from position on.
    Source,  // source_, from position on.
    Owned,   // owned_[position].
  };
  struct Payload {
    std::uint64_t position;
    std::uint64_t size;
  };
  /// Children in children_, with room up to the next power of two when the container can grow.
  struct Range {
    std::uint64_t begin;
    std::uint32_t count;
    NodeId origin;
  };
  struct Call {
    NodeId callable;
    NodeId arguments;
    NodeId keywords;
    Range items;
    Range dict_items;
  };
  union Body {
    bool boolean;
    std::int64_t integer;
    double real;
    Payload payload;      // Text, Py2String, Bytes, ByteArray, BigInt
    Range range;          // List, Tuple, Dict, Set, FrozenSet
    std::uint32_t index;  // Global: in globals_; Call, Object: in calls_
    NodeId link;          // Persistent
  };
  struct Node {
    std::uint64_t offset;
    NodeId state;
    Kind kind;
    Constructor constructor;
    Place place;
    Body body;
  };
  static_assert(sizeof(Node) == 32);

  [[nodiscard]] std::span<const NodeId> children(const Range& range) const noexcept;
  [[nodiscard]] const Call* find_call(NodeId id) const noexcept;

  SourcePtr source_;
  std::vector<Node> nodes_;
  std::vector<NodeId> children_;
  std::vector<Call> calls_;
  std::string pool_;
  std::vector<Buffer> owned_;
  std::set<std::string, std::less<>> names_;  // Ordered: no stream can make it slow by its choice of names.
  std::vector<GlobalUse> globals_;
  std::vector<std::pair<NodeId, NodeId>> settings_;  // In order of the containers.
};

}  // namespace weighbridge::pickle
