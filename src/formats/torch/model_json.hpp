// model.json, with which TorchScript archives of torch 1.0 to 1.2 begin: modules and tensors.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

#include "formats/json/document.hpp"

namespace weighbridge::torch {

/// The document, and what its readers ask of it. Every function that takes a node may be given kNone.
class ModelJson {
 public:
  static constexpr std::string_view kRecord = "model.json";
  static constexpr json::Node kRoot = 0;

  /// Throws MalformedCheckpoint for what is no JSON, LimitExceeded for a document above 8 MiB and for
  /// values more than limits.walk_depth deep.
  ModelJson(const ByteSource& source, const Limits& limits);

  /// MalformedCheckpoint, naming the record.
  [[noreturn]] static void refuse(const std::string& what);

  [[nodiscard]] json::Node find(json::Node object, std::string_view key) const;
  /// The first element of the array under that key; kNone when there is none.
  [[nodiscard]] json::Node first(json::Node object, std::string_view key) const;
  [[nodiscard]] json::Node next(json::Node element) const { return json_.next(element); }

  [[nodiscard]] bool is_true(json::Node node) const;
  [[nodiscard]] std::optional<std::string_view> find_string(json::Node object, std::string_view key) const;
  /// A number that is not negative, which is a string as a rule. Throws MalformedCheckpoint; `what` names it.
  [[nodiscard]] std::uint64_t number(json::Node node, std::string_view what) const;

 private:
  json::Document json_;
};

}  // namespace weighbridge::torch
