// What the files that belong together are called.
#include <weighbridge/convert.hpp>

#include <fmt/format.h>

namespace weighbridge {
namespace {

constexpr std::string_view kSafetensors = ".safetensors";
constexpr std::string_view kIndex = ".index.json";

/// Without the ending that says what it is.
std::string_view stem_of(std::string_view output) {
  if (output.ends_with(kSafetensors)) output.remove_suffix(kSafetensors.size());
  return output;
}

}  // namespace

std::string optimizer_file_name(std::string_view output) {
  return fmt::format("{}.optimizer{}", stem_of(output), kSafetensors);
}

std::string sidecar_file_name(std::string_view output) { return fmt::format("{}.meta.json", output); }

std::string index_file_name(std::string_view output) {
  return fmt::format("{}{}{}", stem_of(output), kSafetensors, kIndex);
}

std::string shard_file_name(std::string_view output, std::size_t shard, std::size_t shards) {
  return fmt::format("{}-{:05}-of-{:05}{}", stem_of(output), shard + 1, shards, kSafetensors);
}

std::string whole_file_name(std::string_view input) {
  if (input.ends_with(kIndex)) input.remove_suffix(kIndex.size());
  return std::string(input);
}

}  // namespace weighbridge
