#include <map>
#include <tuple>

#include <weighbridge/write.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/fill.hpp"
#include "support/onnx_builder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kU8 = 2;

std::string assemble(const FilePlan& plan) {
  std::string file = plan.head;
  for (const CopyStep& step : plan.steps) {
    EXPECT_EQ(step.destination, file.size());
    std::string bytes(step.runs.total_bytes, '\0');
    read_runs(*step.source, step.runs, step.transform, 0, std::as_writable_bytes(std::span(bytes)));
    file += bytes;
  }
  EXPECT_EQ(file.size(), plan.total_bytes);
  return file;
}

/// A checkpoint of U8 tensors in one dimension.
Checkpoint checkpoint_of(const std::map<std::string, std::string>& tensors) {
  Checkpoint checkpoint;
  for (const auto& [name, bytes] : tensors) {
    checkpoint.tensors.push_back({.spec = {.name = name, .dtype = DType::U8, .shape = {bytes.size()}},
                                  .data = {.source = source_of(bytes)}});
  }
  return checkpoint;
}

std::string fill(const std::string& model, const std::map<std::string, std::string>& tensors) {
  return assemble(onnx::plan_filled(source_of(model), checkpoint_of(tensors), {}));
}

/// With all data outside, in a file "d" whose header is as plan_safetensors makes it.
std::string fill_outside(const std::string& model, const Checkpoint& checkpoint, std::uint64_t inline_below) {
  const FilePlan data = plan_safetensors(checkpoint);
  const onnx::DataFile outside{.name = "d",
                               .header = parse_header(std::as_bytes(std::span(data.head)), data.total_bytes),
                               .inline_below = inline_below};
  return assemble(onnx::plan_filled(source_of(model), checkpoint, {.open = {}, .outside = &outside}));
}

std::string entry(std::string_view key, std::string_view value) {
  return Proto().bytes(1, key).bytes(2, value);
}

/// A tensor with fields that nobody knows, in an order that nobody writes.
Proto odd_tensor() {
  return Proto().bytes(12, "a doc").number(2, kU8).bytes(8, "w").number(99, 7).number(1, 3).fixed32(100, 5);
}

TEST(OnnxFill, CopiesAllButTheDataByteForByte) {
  const std::string before = Proto().bytes(2, "g").bytes(77, "unknown");
  const std::string behind = Proto().bytes(10, "doc").number(78, 1);
  const auto model = [&](std::string_view tensor) {
    return onnx_model(Proto().raw(before).bytes(5, tensor).raw(behind), Proto().bytes(14, entry("k", "v")));
  };
  const std::string small = model(odd_tensor().bytes(9, "abc"));
  EXPECT_EQ(fill(small, {{"w", "xyz"}}), model(odd_tensor().bytes(9, "xyz")));
  EXPECT_EQ(fill(model(odd_tensor().number(5, 1).number(5, 2).bytes(5, "\3")), {{"w", "xyz"}}),
            model(odd_tensor().bytes(9, "xyz")));
}

TEST(OnnxFill, PointsIntoTheDataFile) {
  const Checkpoint checkpoint = checkpoint_of({{"v", "1234"}, {"w", "xyz"}});
  const std::string v = onnx_tensor("v", kU8, 4, "....");
  const std::uint64_t data = plan_safetensors(checkpoint).head.size();
  const std::string outside = odd_tensor()
                                  .bytes(13, entry("location", "d"))
                                  .bytes(13, entry("offset", fmt::to_string(data + 4)))
                                  .bytes(13, entry("length", "3"))
                                  .number(14, 1);
  const std::string inside = onnx_tensor("v", kU8, 4, "1234");
  const std::string filled =
      fill_outside(onnx_model(onnx_graph(v, std::string(odd_tensor().bytes(9, "abc")))), checkpoint, 0);
  EXPECT_THAT(filled, HasSubstr(outside));
  EXPECT_EQ(
      fill_outside(onnx_model(onnx_graph(v, std::string(odd_tensor().bytes(9, "abc")))), checkpoint, 100),
      onnx_model(onnx_graph(inside, std::string(odd_tensor().bytes(9, "xyz")))));
}

TEST(OnnxFill, MendsTheLengthsOfAllMessagesAroundATensor) {
  const auto model = [](std::string_view data) {
    const std::string tensor = onnx_tensor("w", kU8, data.size(), data);
    std::string graph = onnx_graph(tensor);
    for (int i = 0; i < 3; ++i) {
      graph = Proto().bytes(1, onnx_node("If", Proto().bytes(1, "then").bytes(6, graph), "n"));
    }
    return onnx_model(graph);
  };
  const std::string name = "n/then/n/then/n/then/w";
  const std::string typed = onnx_model(Proto().bytes(
      1, onnx_node("If",
                   Proto().bytes(1, "then").bytes(
                       6, onnx_graph(std::string(Proto().number(1, 120).number(2, kU8).bytes(8, "w").bytes(
                              5, std::string(120, '\1'))))),
                   "n")));
  const std::string value(120, 'x');
  EXPECT_EQ(fill(model(std::string(120, 'a')), {{name, value}}), model(value));
  const Checkpoint back = read_checkpoint(source_of(fill(typed, {{"n/then/w", value}})));
  EXPECT_EQ(back.tensors.at(0).data.source->size(), fill(typed, {{"n/then/w", value}}).size());
  EXPECT_THAT(fill(typed, {{"n/then/w", value}}), HasSubstr(value));
}

TEST(OnnxFill, FindsTiedTensorsByTheirAliases) {
  Checkpoint checkpoint = checkpoint_of({{"v", "x"}});
  checkpoint.metadata = Metadata{{"w", "v"}};
  const std::string model =
      onnx_model(onnx_graph(onnx_tensor("v", kU8, 1, "a"), onnx_tensor("w", kU8, 1, "b")));
  EXPECT_EQ(assemble(onnx::plan_filled(source_of(model), checkpoint, {})),
            onnx_model(onnx_graph(onnx_tensor("v", kU8, 1, "x"), onnx_tensor("w", kU8, 1, "x"))));
}

TEST(OnnxFill, ListsWhatIsMissingLeftOverAndDifferent) {
  const std::string model =
      onnx_model(onnx_graph(onnx_tensor("v", kU8, 1, "a"), onnx_tensor("w", kU8, 1, "b")));
  const Error error = error_of([&] { fill(model, {{"w", "ab"}, {"x", "a"}}); });
  EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint);
  EXPECT_THAT(error.what(),
              HasSubstr("1 initializers are missing: 'v'; 1 tensors have no place in it: 'x'; 1 do not "
                        "fit: w is U8 [2], the model has U8 [1]"));
}

TEST(OnnxFill, RefusesAModelThatNoParserTakes) {
  Checkpoint checkpoint = checkpoint_of({{"w", "a"}});
  constexpr std::uint64_t kMany = std::uint64_t{1} << 31;
  checkpoint.tensors[0].spec.shape = {kMany};
  checkpoint.tensors[0].data.strides = {0};
  const std::string tensor = Proto().number(1, kMany).number(2, kU8).bytes(8, "w");
  EXPECT_THAT(error_of([&] {
                std::ignore = onnx::plan_filled(source_of(onnx_model(onnx_graph(tensor))), checkpoint, {});
              }).what(),
              HasSubstr("no runtime reads one of more than 2147483647"));
}

}  // namespace
}  // namespace weighbridge::test
