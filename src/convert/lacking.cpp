#include "convert/lacking.hpp"

#include <set>
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

[[noreturn]] void refuse_lacking(const TensorSpec& spec, const TypesOfFormat& types) {
  throw Error(ErrorCode::Unsupported,
              fmt::format("tensor '{}': {} has no {}; its bytes can be kept as {} (--lacking u8), or its "
                          "numbers cast (--dtype)",
                          printable(spec.name), types.name, dtype_name(spec.dtype), dtype_name(types.bytes)),
              spec.name);
}

}  // namespace

void replace_lacking(Checkpoint& checkpoint, const TypesOfFormat& types, LackingPolicy policy) {
  std::vector<std::string> replaced;
  std::string lacking;
  for (TensorEntry& entry : checkpoint.tensors) {
    if (types.has(entry.spec)) continue;
    const std::string_view type = dtype_name(entry.spec.dtype);
    if (policy == LackingPolicy::Refuse) refuse_lacking(entry.spec, types);
    if (lacking.find(type) == std::string::npos)
      lacking += fmt::format("{}{}", lacking.empty() ? "" : ", ", type);
    entry.spec.shape = shape_in_bytes(entry.spec);
    entry.spec.dtype = types.bytes;
    replaced.push_back(entry.spec.name);
  }
  if (replaced.empty()) return;
  checkpoint.findings.push_back(
      finding(Severity::Warning, "DTypeAsBytes",
              fmt::format("{} has no {}: the bytes are kept as {}, what they are is lost: {}", types.name,
                          lacking, dtype_name(types.bytes), list_some(replaced)),
              replaced.front()));
}

void copy_tied(Checkpoint& checkpoint, std::string_view format) {
  const std::size_t aliases = expand_aliases(checkpoint);
  if (aliases == 0) return;
  checkpoint.findings.push_back(
      finding(Severity::Info, "TiedTensorsCopied",
              fmt::format("{} tied tensors get bytes of their own: {} cannot share them", aliases, format)));
}

void report_lost_metadata(Checkpoint& checkpoint, std::string_view format,
                          const std::function<bool(std::string_view)>& kept) {
  std::set<std::string_view> names;
  for (const TensorEntry& entry : checkpoint.tensors) names.insert(entry.spec.name);
  std::vector<std::string> keys;
  for (const auto& [key, value] : checkpoint.metadata.value_or(Metadata{})) {
    const bool is_alias = !names.contains(key) && names.contains(value);
    const bool says_origin = key == "format";  // what the input was made by, no more
    if (!is_alias && !says_origin && !(kept && kept(key))) keys.push_back(key);
  }
  if (keys.empty()) return;
  checkpoint.findings.push_back(
      finding(Severity::Warning, "MetadataNotKept",
              fmt::format("{} has no place for the metadata: {}", format, list_some(keys)), keys.front()));
}

}  // namespace weighbridge
