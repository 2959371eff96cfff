#include "formats/torch/model_json.hpp"

#include <charconv>
#include <span>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 20;

json::Document parse(const ByteSource& source, const Limits& limits) {
  if (source.size() > kMostBytes) {
    throw Error(
        ErrorCode::LimitExceeded,
        fmt::format("'{}' has {} bytes, the limit is {}", ModelJson::kRecord, source.size(), kMostBytes),
        std::string(ModelJson::kRecord));
  }
  std::string text(source.size(), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(text)));
  const json::Bounds bounds{.values = kMostBytes, .depth = limits.walk_depth};
  return json::parse(text, fmt::format("'{}'", ModelJson::kRecord), bounds);
}

}  // namespace

ModelJson::ModelJson(const ByteSource& source, const Limits& limits) : json_(parse(source, limits)) {}

void ModelJson::refuse(const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}': {}", kRecord, what), std::string(kRecord));
}

json::Node ModelJson::find(json::Node object, std::string_view key) const { return json_.find(object, key); }

json::Node ModelJson::first(json::Node object, std::string_view key) const {
  const json::Node array = find(object, key);
  return array != json::kNone && json_.kind(array) == json::Kind::Array ? json_.first(array) : json::kNone;
}

bool ModelJson::is_true(json::Node node) const {
  return node != json::kNone && json_.kind(node) == json::Kind::Bool && json_.boolean(node);
}

std::optional<std::string_view> ModelJson::find_string(json::Node object, std::string_view key) const {
  const json::Node node = find(object, key);
  return json_.is_string(node) ? std::optional(json_.string(node)) : std::nullopt;
}

std::uint64_t ModelJson::number(json::Node node, std::string_view what) const {
  if (node == json::kNone) refuse(fmt::format("{} is missing", what));
  if (json_.kind(node) == json::Kind::Integer && json_.integer(node) >= 0) {
    return static_cast<std::uint64_t>(json_.integer(node));
  }
  const std::string_view text = json_.is_string(node) ? json_.string(node) : "";
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  refuse(fmt::format("{} '{}' is no number that is not negative", what, printable(text)));
}

}  // namespace weighbridge::torch
