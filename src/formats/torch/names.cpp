#include "formats/torch/names.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "formats/torch/nodes.hpp"

namespace weighbridge::torch {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

/// ED A0..BF 80..BF: a surrogate in three bytes, as Python's surrogatepass writes it.
bool starts_with_surrogate(std::string_view text) {
  return text.size() >= 3 && byte_at(text, 0) == 0xED && byte_at(text, 1) >= 0xA0 &&
         byte_at(text, 1) <= 0xBF && byte_at(text, 2) >= 0x80 && byte_at(text, 2) <= 0xBF;
}

/// Appends one escape for the start of `text` and returns how many bytes it stands for.
std::size_t append_escape(std::string& out, std::string_view text) {
  if (!starts_with_surrogate(text)) {
    out += fmt::format("\\x{:02x}", byte_at(text, 0));
    return 1;
  }
  const unsigned code = 0xD000U | ((byte_at(text, 1) & 0x3FU) << 6) | (byte_at(text, 2) & 0x3FU);
  out += fmt::format("\\u{:04x}", code);
  return 3;
}

/// As repr() writes a str or bytes of plain characters.
std::string python_repr(std::string_view text) {
  const char quote =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    out += c;
  }
  return out + quote;
}

std::optional<std::string> scalar_text(const Graph& graph, NodeId key, bool& escaped) {
  switch (kind_of(graph, key)) {
    case Kind::Int:
      return fmt::to_string(graph.integer(key));
    case Kind::Bool:
      return graph.boolean(key) ? "True" : "False";
    case Kind::None:
      return "None";
    default:
      break;
  }
  const auto text = find_text(graph, key);
  if (!text) return std::nullopt;
  return valid_utf8(*text, escaped);
}

/// No writer makes longer ones; a bound keeps a shared tuple from being spelled out again and again.
constexpr std::size_t kLongestTuple = 32;

/// Tuples within tuples are not spelled out: no writer uses them as keys.
std::optional<std::string> tuple_text(const Graph& graph, NodeId key, bool& escaped) {
  const auto items = graph.items(key);
  if (items.size() > kLongestTuple) return std::nullopt;
  std::string out = "(";
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto item = scalar_text(graph, items[i], escaped);
    if (!item) return std::nullopt;
    if (i > 0) out += ", ";
    out += find_text(graph, items[i]) ? python_repr(*item) : *item;
  }
  return out + (items.size() == 1 ? ",)" : ")");
}

}  // namespace

std::optional<std::string> find_key_text(const pickle::Graph& graph, pickle::NodeId key, bool& escaped) {
  if (kind_of(graph, key) == Kind::Tuple) return tuple_text(graph, key, escaped);
  return scalar_text(graph, key, escaped);
}

std::string valid_utf8(std::string_view text, bool& escaped) {
  std::string out;
  while (!text.empty()) {
    const auto invalid = find_invalid_utf8(text);
    if (!invalid) break;
    escaped = true;
    out += text.substr(0, *invalid);
    text.remove_prefix(*invalid);
    text.remove_prefix(append_escape(out, text));
  }
  out += text;
  return out;
}

}  // namespace weighbridge::torch
