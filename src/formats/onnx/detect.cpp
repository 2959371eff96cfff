#include <algorithm>
#include <array>

#include <weighbridge/error.hpp>

#include "formats/onnx/read.hpp"
#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {
namespace {

struct Known {
  std::uint32_t number;
  Wire wire;
};

/// Fields of ModelProto.
constexpr auto kModel = std::to_array<Known>({{1, Wire::Varint},
                                              {2, Wire::Bytes},
                                              {3, Wire::Bytes},
                                              {4, Wire::Bytes},
                                              {5, Wire::Varint},
                                              {6, Wire::Bytes},
                                              {7, Wire::Bytes},
                                              {8, Wire::Bytes},
                                              {14, Wire::Bytes},
                                              {20, Wire::Bytes},
                                              {25, Wire::Bytes},
                                              {26, Wire::Bytes}});
constexpr std::uint64_t kGraph = 7;
constexpr std::uint64_t kMostVersion = 1000;
/// A file of tiny fields is no model, and must not be walked to its end.
constexpr std::uint64_t kMostFields = 100'000;

/// What a look at the fields of a model has seen.
struct Seen {
  bool version = false;
  bool graph = false;
};

bool is_known(const Field& field) {
  return std::ranges::any_of(
      kModel, [&](const Known& known) { return known.number == field.number && known.wire == field.wire; });
}

/// The graph's length reaches beyond the file, and what stands before it is a model's.
bool is_cut_off(Window& window, std::uint64_t at, const Seen& seen) {
  if (!seen.version || at >= window.size()) return false;
  const std::uint64_t tag = read_varint(window, at, window.size());
  if (tag != (kGraph << 3 | static_cast<std::uint64_t>(Wire::Bytes))) return false;
  return read_varint(window, at, window.size()) > window.size() - at;
}

bool has_fields_of_model(Window& window) {
  Seen seen;
  std::uint64_t at = 0;
  for (std::uint64_t count = 0; at < window.size(); ++count) {
    if (count == kMostFields) return false;
    if (is_cut_off(window, at, seen)) return true;
    FieldReader reader(window, {.begin = at, .end = window.size()});
    const Field field = *reader.next();
    if (!is_known(field)) return false;
    if (field.number == 1) seen.version = field.value > 0 && field.value < kMostVersion;
    if (field.number == 1 && !seen.version) return false;
    if (field.number == kGraph) seen.graph = true;
    at = field.content.end;
  }
  return seen.version && seen.graph;
}

}  // namespace

bool looks_like_model(const ByteSource& source) {
  if (source.size() == 0) return false;
  try {
    Window window(source);
    return has_fields_of_model(window);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError) throw;
    return false;
  }
}

}  // namespace weighbridge::onnx
