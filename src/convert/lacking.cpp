#include "convert/lacking.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "convert/aliases.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kMostNamed = 8;

Finding finding(Severity severity, std::string code, std::string message, std::string subject = {}) {
  return {.severity = severity,
          .code = std::move(code),
          .message = std::move(message),
          .subject = std::move(subject),
          .offset = std::nullopt};
}

std::string list_some(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (const std::string& name : names) {
    if (shown.size() < kMostNamed) shown.push_back(fmt::format("'{}'", printable(name)));
  }
  const std::size_t more = names.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

/// Types of a byte keep their shape; where several elements share bytes the last dimension counts these, or
/// the whole is one row of them.
Shape shape_in_bytes(const TensorSpec& spec) {
  const std::uint32_t bits = bit_width(spec.dtype);
  Shape shape = spec.shape;
  if (bits == 8) return shape;
  if (!shape.empty() && shape.back() * bits % 8 == 0) {
    shape.back() = shape.back() * bits / 8;
    return shape;
  }
  return {byte_size(spec.dtype, spec.shape)};
}

}  // namespace

void replace_lacking(Checkpoint& checkpoint, bool (*has_type)(DType), LackingPolicy policy,
                     std::string_view format) {
  std::vector<std::string> replaced;
  std::string types;
  for (TensorEntry& entry : checkpoint.tensors) {
    if (has_type(entry.spec.dtype)) continue;
    const std::string_view type = dtype_name(entry.spec.dtype);
    if (policy == LackingPolicy::Refuse) {
      throw Error(ErrorCode::Unsupported,
                  fmt::format("tensor '{}': {} has no {}; its bytes can be kept as U8 (--lacking u8), or its "
                              "numbers cast (--dtype)",
                              printable(entry.spec.name), format, type),
                  entry.spec.name);
    }
    if (types.find(type) == std::string::npos) types += fmt::format("{}{}", types.empty() ? "" : ", ", type);
    entry.spec.shape = shape_in_bytes(entry.spec);
    entry.spec.dtype = DType::U8;
    replaced.push_back(entry.spec.name);
  }
  if (replaced.empty()) return;
  checkpoint.findings.push_back(
      finding(Severity::Warning, "DTypeAsBytes",
              fmt::format("{} has no {}: the bytes are kept as U8, what they are is lost: {}", format, types,
                          list_some(replaced)),
              replaced.front()));
}

void flatten(Checkpoint& checkpoint, std::string_view format) {
  if (const std::size_t aliases = expand_aliases(checkpoint); aliases > 0) {
    checkpoint.findings.push_back(finding(
        Severity::Info, "TiedTensorsCopied",
        fmt::format("{} tied tensors get bytes of their own: {} cannot share them", aliases, format)));
  }
  std::vector<std::string> keys;
  for (const auto& [key, value] : checkpoint.metadata.value_or(Metadata{})) {
    if (key != "format") keys.push_back(key);  // says what the input was made by, no more
  }
  if (keys.empty()) return;
  checkpoint.findings.push_back(
      finding(Severity::Warning, "MetadataNotKept",
              fmt::format("{} has no place for the metadata: {}", format, list_some(keys))));
}

}  // namespace weighbridge
