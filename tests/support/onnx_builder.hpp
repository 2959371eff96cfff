// Writes messages of protocol buffers for tests: sound models, and ones that lie.
//
//   const std::string tensor = Proto().number(1, 2).number(2, 1).text(8, "w").bytes(9, eight_bytes);
//   SourcePtr source = source_of(model_of(graph_of(tensor)));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weighbridge::test {

/// A message, field by field.
class Proto {
 public:
  Proto& number(std::uint32_t field, std::uint64_t value);
  Proto& fixed32(std::uint32_t field, std::uint32_t value);
  Proto& fixed64(std::uint32_t field, std::uint64_t value);
  /// Bytes, a text, or another message.
  Proto& bytes(std::uint32_t field, std::string_view content);
  /// Whatever it is.
  Proto& raw(std::string_view content);

  operator std::string() const { return bytes_; }       // NOLINT(google-explicit-constructor)
  operator std::string_view() const { return bytes_; }  // NOLINT(google-explicit-constructor)

 private:
  std::string bytes_;
};

std::string varint(std::uint64_t value);

/// A TensorProto of that type with one dimension and raw_data.
std::string onnx_tensor(std::string_view name, std::uint64_t type, std::uint64_t size, std::string_view raw);

/// A GraphProto with these initializers.
template <class... Tensors>
Proto onnx_graph(const Tensors&... tensors) {
  Proto graph;
  (graph.bytes(5, std::string_view(tensors)), ...);
  return graph;
}

/// A ModelProto of version 10 around a graph, with more fields behind it.
std::string onnx_model(std::string_view graph, std::string_view more = {});

/// A NodeProto with one attribute, which is called "value" unless `attribute` has a name.
std::string onnx_node(std::string_view type, std::string_view attribute, std::string_view name = {});

}  // namespace weighbridge::test
