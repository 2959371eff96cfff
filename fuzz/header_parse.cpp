// A header either parses, and then validates without an error and survives being written again; or
// both parsing and validating say that it is wrong. The input is a whole file.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <span>
#include <vector>

#include <weighbridge/header.hpp>

namespace {

using namespace weighbridge;

std::optional<Header> try_parse(std::span<const std::byte> file) {
  try {
    return parse_header(file, file.size());
  } catch (const Error&) {
    return std::nullopt;
  }
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check_lookups(const Header& header) {
  for (std::size_t i = 0; i < header.size(); ++i) require(header.find(header[i].name) == i);
}

void check_writing(const Header& header) {
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const TensorInfo tensor = header[i];
    specs.push_back({std::string(tensor.name), tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}});
  }
  const auto metadata = header.has_metadata() ? std::optional(header.metadata()) : std::nullopt;
  const SerializedHeader written = serialize_header(specs, metadata);
  require(written.data_bytes == header.data_bytes());

  const Header again =
      parse_header(std::as_bytes(std::span(written.bytes)), written.bytes.size() + written.data_bytes);
  require(again.size() == header.size() && again.metadata() == header.metadata());
  for (const TensorSpec& spec : specs) {
    const TensorInfo tensor = again.get(spec.name);
    require(tensor.dtype == spec.dtype && std::ranges::equal(tensor.shape, spec.shape));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  const std::optional<Header> header = try_parse(file);
  const Findings findings = validate_header(*memory_source(Buffer(file, nullptr)));
  const bool sound = std::ranges::none_of(
      findings, [](const Finding& finding) { return finding.severity == Severity::Error; });
  require(sound == header.has_value());
  if (header) {
    check_lookups(*header);
    check_writing(*header);
  }
  return 0;
}
