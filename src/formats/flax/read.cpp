#include "formats/flax/read.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "formats/flax/arrays.hpp"
#include "formats/flax/msgpack.hpp"
#include "formats/pickle/fault.hpp"
#include "formats/pickle/graph_builder.hpp"
#include "formats/torch/assemble.hpp"
#include "formats/torch/report.hpp"

namespace weighbridge::flax {
namespace {

using pickle::Kind;
using pickle::kNoNode;
using pickle::NodeId;

constexpr int kNdArray = 1;
constexpr int kComplex = 2;
constexpr int kNumpyScalar = 3;
constexpr std::string_view kChunked = "__msgpack_chunked_array__";
constexpr std::uint64_t kDeepestGuess = 64;

[[noreturn]] void refuse(const std::string& what, std::uint64_t offset) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("{} (byte {})", what, offset), {}, offset);
}

/// A map or list whose end has not come.
struct Open {
  Kind kind = Kind::Dict;
  std::uint64_t left = 0;           ///< Nodes that are still to come: keys and values.
  std::uint64_t at = 0;             ///< Where it begins.
  std::vector<NodeId> items = {};   ///< Keys and values of a map.
  std::set<std::string> keys = {};  ///< Of a map.
};

/// Builds the tree with a stack of its own, as values that torch's own rules then name.
class TreeReader {
 public:
  TreeReader(SourcePtr source, const OpenOptions& options)
      : source_(std::move(source)),
        limits_(options.limits),
        reader_(source_, 0, source_->size()),
        builder_(source_, options.limits.pickle_nodes) {
    array_class_ = builder_.add_global("numpy", "ndarray");
    no_arguments_ = builder_.add_container(Kind::Tuple, {});
  }

  torch::Document run(Findings& findings) {
    do {
      take_value();
      close_full();
    } while (!stack_.empty());
    torch::report_rest(*source_, reader_.offset(), findings);
    document_.root = root_;
    document_.graph = std::move(builder_).finish();
    return std::move(document_);
  }

 private:
  void take_value() {
    const Token token = reader_.next();
    builder_.set_offset(token.at);
    if (token.kind == TokenKind::Map || token.kind == TokenKind::Array) return open(token);
    put(is_key_next() ? key_of(token) : leaf_of(token));
  }

  [[nodiscard]] bool is_key_next() const {
    return !stack_.empty() && stack_.back().kind == Kind::Dict && stack_.back().left % 2 == 0;
  }

  void open(const Token& token) {
    const bool is_map = token.kind == TokenKind::Map;
    if (is_key_next()) refuse(fmt::format("a map's key is a {}", is_map ? "map" : "list"), token.at);
    if (stack_.size() >= limits_.walk_depth) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("maps within maps, more than {} deep (byte {})", limits_.walk_depth, token.at),
                  {}, token.at);
    }
    stack_.push_back({.kind = is_map ? Kind::Dict : Kind::List,
                      .left = is_map ? 2 * token.count : token.count,
                      .at = token.at});
  }

  /// Puts a finished value where it belongs.
  void put(NodeId node) {
    if (stack_.empty()) {
      root_ = node;
      return;
    }
    stack_.back().items.push_back(node);
    --stack_.back().left;
  }

  void close_full() {
    while (!stack_.empty() && stack_.back().left == 0) {
      const Open closed = std::move(stack_.back());
      stack_.pop_back();
      put(closed.keys.contains(std::string(kChunked)) ? chunked_array(closed)
                                                      : builder_.add_container(closed.kind, closed.items));
    }
  }

  NodeId key_of(const Token& token) {
    std::string key;
    if (token.kind == TokenKind::Integer) {
      key = fmt::to_string(token.integer);
    } else if (token.kind == TokenKind::Text || token.kind == TokenKind::Bytes) {
      key = reader_.read_text(token, limits_.name_bytes);
    } else {
      refuse("a map's key is no text", token.at);
    }
    if (find_invalid_utf8(key)) refuse(fmt::format("the key '{}' is no UTF-8", printable(key)), token.at);
    if (!stack_.back().keys.insert(key).second) {
      refuse(fmt::format("the key '{}' occurs twice in one map", printable(key)), token.at);
    }
    return builder_.add_payload(Kind::Text, key);
  }

  NodeId leaf_of(const Token& token) {
    switch (token.kind) {
      case TokenKind::Nil:
        return builder_.add_none();
      case TokenKind::Bool:
        return builder_.add_bool(token.integer != 0);
      case TokenKind::Integer:
        return builder_.add_int(token.integer);
      case TokenKind::BigInteger:
        return big_integer(static_cast<std::uint64_t>(token.integer));
      case TokenKind::Real:
        return builder_.add_float(token.real);
      case TokenKind::Extension:
        return extension(token);
      case TokenKind::Text:
        return text(token);
      default:
        return builder_.add_payload_in_source(Kind::Bytes, token.payload_at, token.payload_bytes);
    }
  }

  NodeId big_integer(std::uint64_t value) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
    return builder_.add_payload(Kind::BigInt, bytes + '\0');
  }

  /// Texts of old versions may be bytes.
  NodeId text(const Token& token) {
    if (token.payload_bytes > limits_.integer_bytes) {
      return builder_.add_payload_in_source(Kind::Bytes, token.payload_at, token.payload_bytes);
    }
    const std::string text = reader_.read_text(token, limits_.integer_bytes);
    return builder_.add_payload(find_invalid_utf8(text) ? Kind::Bytes : Kind::Text, text);
  }

  NodeId extension(const Token& token) {
    if (token.type == kNdArray || token.type == kNumpyScalar) {
      numpy::Array array = parse_array(source_, token, limits_);
      array.scalar = token.type == kNumpyScalar;
      return add_array(std::move(array));
    }
    if (token.type == kComplex) return complex_number(token);
    throw Error(ErrorCode::Unsupported,
                fmt::format("an extension of type {}, flax has 1 to 3 (byte {})", token.type, token.at), {},
                token.at);
  }

  NodeId complex_number(const Token& token) {
    TokenReader content(source_, token.payload_at, token.payload_at + token.payload_bytes);
    const Token pair = content.next();
    if (pair.kind != TokenKind::Array || pair.count != 2) refuse("a complex number is no pair", token.at);
    std::array<NodeId, 2> parts{};
    for (NodeId& part : parts) {
      const Token number = content.next();
      if (number.kind != TokenKind::Real && number.kind != TokenKind::Integer) {
        refuse("a part of a complex number is no number", number.at);
      }
      part = builder_.add_float(number.kind == TokenKind::Real ? number.real
                                                               : static_cast<double>(number.integer));
    }
    if (!content.at_end()) refuse("more follows a complex number", content.offset());
    const NodeId callable = builder_.add_global("builtins", "complex");
    const NodeId arguments = builder_.add_container(Kind::Tuple, parts);
    return builder_.add_call(Kind::Call, callable, arguments);
  }

  NodeId add_array(numpy::Array array) {
    const NodeId node = builder_.add_call(Kind::Object, array_class_, no_arguments_);
    document_.arrays.emplace(node, std::move(array));
    return node;
  }

  /// {chunked: true, shape: {"0": 2, ...}, chunks: {"0": array, ...}}: arrays of more than 2^30 bytes.
  NodeId chunked_array(const Open& map) {
    Shape shape;
    for (const NodeId size : parts_of(map, "shape")) {
      const bool is_size = builder_.graph().kind(size) == Kind::Int && builder_.graph().integer(size) >= 0;
      if (!is_size) refuse("a size of a chunked array is no number, or negative", map.at);
      shape.push_back(static_cast<std::uint64_t>(builder_.graph().integer(size)));
    }
    std::vector<const numpy::Array*> chunks;
    const std::vector<NodeId> nodes = parts_of(map, "chunks");
    for (const NodeId node : nodes) {
      const auto found = document_.arrays.find(node);
      if (found == document_.arrays.end()) refuse("a chunk of an array is no array", map.at);
      chunks.push_back(&std::get<numpy::Array>(found->second));
    }
    numpy::Array whole = join_arrays(chunks, std::move(shape), limits_);
    for (const NodeId node : nodes) document_.arrays.erase(node);
    builder_.set_offset(map.at);
    return add_array(std::move(whole));
  }

  /// The values of a list, or of a map whose keys count from 0.
  std::vector<NodeId> parts_of(const Open& map, std::string_view name) {
    const pickle::Graph& graph = builder_.graph();
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      if (graph.text(map.items[i]) != name) continue;
      const NodeId value = map.items[i + 1];
      const auto items = graph.items(value);
      if (graph.kind(value) == Kind::List) return {items.begin(), items.end()};
      if (graph.kind(value) != Kind::Dict) break;
      return in_order(items, map.at);
    }
    refuse(fmt::format("a chunked array without its {}", name), map.at);
  }

  [[nodiscard]] std::vector<NodeId> in_order(std::span<const NodeId> items, std::uint64_t at) const {
    std::vector<NodeId> values;
    for (std::size_t i = 0; i < items.size() / 2; ++i) {
      if (builder_.graph().text(items[2 * i]) != fmt::to_string(i)) {
        refuse(fmt::format("part {} of a chunked array is not where it is needed", i), at);
      }
      values.push_back(items[2 * i + 1]);
    }
    return values;
  }

  SourcePtr source_;
  const Limits& limits_;
  TokenReader reader_;
  pickle::GraphBuilder builder_;
  NodeId array_class_ = kNoNode;
  NodeId no_arguments_ = kNoNode;
  NodeId root_ = kNoNode;
  std::vector<Open> stack_;
  torch::Document document_;
};

/// Whether a first leaf is one that flax writes.
bool is_leaf(const Token& token) {
  if (token.kind == TokenKind::Extension) return token.type >= kNdArray && token.type <= kNumpyScalar;
  return token.kind == TokenKind::Nil || token.kind == TokenKind::Bool || token.kind == TokenKind::Integer;
}

/// A source that does not own what it stands for.
SourcePtr borrow(const ByteSource& source) { return {std::shared_ptr<void>(), &source}; }

}  // namespace

bool looks_like_flax(const ByteSource& source) {
  if (source.size() < 3) return false;
  try {
    TokenReader reader(borrow(source), 0, source.size());
    Token token = reader.next();
    if (token.kind != TokenKind::Map) return false;
    for (std::uint64_t depth = 0; token.kind == TokenKind::Map && depth < kDeepestGuess; ++depth) {
      if (token.count == 0) return false;
      const Token key = reader.next();
      if (key.kind != TokenKind::Text || find_invalid_utf8(reader.read_text(key, 1024))) return false;
      token = reader.next();
    }
    return is_leaf(token);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    return false;
  }
}

Checkpoint read(SourcePtr source, const OpenOptions& options) {
  Findings findings;
  try {
    torch::Document document = TreeReader(std::move(source), options).run(findings);
    return torch::assemble(std::move(document), "flax", findings, options);
  } catch (const pickle::Fault& fault) {  // a bound of the tree's
    throw Error(fault.code, fmt::format("msgpack: {}", fault.reason));
  }
}

}  // namespace weighbridge::flax
