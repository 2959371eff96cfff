// Models of ONNX: no code is in them, but they name files and operators, and a runtime loads what they name.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/onnx/external.hpp"
#include "formats/onnx/facts.hpp"
#include "formats/onnx/model.hpp"
#include "formats/onnx/read.hpp"
#include "scan/content.hpp"

namespace weighbridge::scanning {
namespace {

/// Domains whose operators come with the runtimes.
constexpr auto kKnownDomains = std::to_array<std::string_view>(
    {"", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview", "ai.onnx.preview.training", "com.microsoft",
     "com.microsoft.experimental", "com.microsoft.dml", "com.microsoft.nchwc", "com.ms.internal.nhwc",
     "org.pytorch.aten"});

constexpr auto kPythonOperators =
    std::to_array<std::string_view>({"PyOp", "PyCustomOp", "PyCustomOpDef", "PythonOp", "PythonOpGrad"});

constexpr auto kLibrarySuffixes = std::to_array<std::string_view>({".so", ".dll", ".dylib"});

using Types = std::pair<std::string, std::string>;

void add(Scan& scan, const Content& content, Verdict verdict, std::string_view code, std::string message,
         std::optional<std::uint64_t> offset = {}) {
  scan.evidence.add(ScanFinding{.verdict = verdict,
                                .code = std::string(code),
                                .message = std::move(message),
                                .place = content.place,
                                .offset = offset});
}

void note_location(Scan& scan, const Content& content, const onnx::TensorProto& tensor) {
  if (!tensor.external) return;
  const onnx::LocationFault fault = onnx::judge_location(tensor.external->location);
  if (fault != onnx::LocationFault::Escapes && fault != onnx::LocationFault::Memory) return;
  add(scan, content, Verdict::Dangerous, "ExternalPath",
      fmt::format("{}: its external location '{}' {}", onnx::tensor_text(tensor),
                  printable(tensor.external->location), onnx::fault_text(fault)),
      tensor.message.begin);
}

void note_locations(Scan& scan, const Content& content, const onnx::Model& model) {
  for (const onnx::Tensor& tensor : model.tensors) {
    note_location(scan, content, tensor.proto);
    if (tensor.sparse) note_location(scan, content, tensor.sparse->indices);
  }
}

void note_context_files(Scan& scan, const Content& content, const onnx::Facts& facts) {
  for (const std::string& file : facts.context_files) {
    const onnx::LocationFault fault = onnx::judge_location(file);
    if (fault != onnx::LocationFault::Escapes && fault != onnx::LocationFault::Memory) continue;
    add(scan, content, Verdict::Dangerous, "ContextFile",
        fmt::format("a node of type EPContext names the file '{}', which {}", printable(file),
                    onnx::fault_text(fault)));
  }
}

void note_operators(Scan& scan, const Content& content, const onnx::Facts& facts) {
  std::set<std::string> domains;
  std::set<Types> defined;  // a function of the model is its own implementation
  for (const onnx::FunctionId& id : facts.functions) defined.emplace(id.domain, id.name);
  for (const auto& [type, count] : facts.operators) {
    const auto& [domain, name] = type;
    if (defined.contains(type)) continue;
    if (std::ranges::find(kPythonOperators, name) != kPythonOperators.end() || domain.starts_with("pyop")) {
      add(scan, content, Verdict::Dangerous, "PythonOperator",
          fmt::format("{} nodes of type '{}::{}' are implemented by Python code that they name", count,
                      printable(domain), printable(name)));
    } else if (std::ranges::find(kKnownDomains, domain) == kKnownDomains.end() &&
               domains.insert(domain).second) {
      add(scan, content, Verdict::Unknown, "CustomOperators",
          fmt::format(
              "operators of the domain '{}' ('{}'), which no runtime has: they need a library of native "
              "code",
              printable(domain), printable(name)));
    }
  }
}

void note_libraries(Scan& scan, const Content& content, onnx::Window& window, const onnx::Facts& facts) {
  for (const auto& [key, field] : facts.properties) {
    if (field.value > scan.limits.name_bytes) continue;
    const std::string value =
        onnx::read_text(window, field, "a value of the metadata", scan.limits.name_bytes);
    const bool is_library = std::ranges::any_of(
        kLibrarySuffixes, [&](std::string_view suffix) { return value.ends_with(suffix); });
    if (!is_library) continue;
    add(scan, content, Verdict::Unknown, "LibraryNamed",
        fmt::format("the metadata has the library '{}' for '{}'", printable(value), printable(key)),
        field.begin);
  }
}

}  // namespace

bool is_onnx(const ByteSource& source) { return onnx::looks_like_model(source); }

std::string scan_onnx(Scan& scan, const Content& content) {
  scan.charge(content.source->size());
  onnx::Window window(*content.source);
  const onnx::Model model = onnx::parse_model(window, scan.limits);
  note_locations(scan, content, model);
  note_context_files(scan, content, model.facts);
  note_operators(scan, content, model.facts);
  note_libraries(scan, content, window, model.facts);
  return "onnx";
}

}  // namespace weighbridge::scanning
