// The JSON side of Keras: the first line is the path of a variable, the rest the description of a model.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "formats/keras/config.hpp"
#include "formats/keras/names.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weighbridge;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t line = all.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view path = all.substr(0, line);
  const std::string_view text = all.substr(line + 1);
  Limits limits;
  limits.findings = 10;
  for (const Finding& finding : keras::inspect_text(text, "config", limits)) {
    if (finding.message.empty() || finding.code.empty()) std::abort();
  }
  try {
    const json::Document config = keras::parse_config(text, "config", limits);
    keras::VariableNames names(config);
    const std::string name = names.name(path);
    if (names.name(path) != name) std::abort();
    if (!find_invalid_utf8(path) && find_invalid_utf8(name)) std::abort();
  } catch (const Error&) {
    // Refusing is an answer.
  }
  return 0;
}
