#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;

py::Value tensors(const std::vector<std::string>& names) {
  std::vector<std::pair<py::Value, py::Value>> entries;
  for (const std::string& name : names) entries.emplace_back(py::text(name), py::one_float());
  return py::dict(entries);
}

py::Value layer(const std::vector<std::string>& parameters, const std::vector<std::string>& buffers,
                const std::vector<std::pair<py::Value, py::Value>>& more = {}) {
  return py::module(py::global("my.model", "Layer"), tensors(parameters), tensors(buffers), py::dict({}),
                    more);
}

std::vector<std::string> names(const py::Value& root) {
  return names_of(load(zip_checkpoint(root, {{"0", floats(1)}})));
}

TEST(TorchModule, IsNamedAsItsStateDict) {
  const py::Value model = py::module(py::global("my.model", "Model"), tensors({"scale"}), tensors({"mean"}),
                                     py::dict({{py::text("0"), layer({"weight", "bias"}, {})},
                                               {py::text("1"), layer({"weight"}, {"running"})}}));
  EXPECT_THAT(names(model), ElementsAre("scale", "mean", "0.weight", "0.bias", "1.weight", "1.running"));
}

TEST(TorchModule, LeavesOutParametersThatAreNone) {
  const py::Value parameters =
      py::dict({{py::text("weight"), py::one_float()}, {py::text("bias"), py::none()}});
  EXPECT_THAT(names(py::module(py::global("m", "L"), parameters, py::dict({}), py::dict({}))),
              ElementsAre("weight"));
}

TEST(TorchModule, LeavesOutBuffersThatAreNotPersistent) {
  const auto more = std::vector<std::pair<py::Value, py::Value>>{
      {py::text("_non_persistent_buffers_set"),
       py::call(py::global("builtins", "set"), {py::list({py::text("cache")})})}};
  EXPECT_THAT(names(layer({"w"}, {"cache", "kept"}, more)), ElementsAre("w", "kept"));
}

TEST(TorchModule, LeavesOutTensorsThatAreMereAttributes) {
  EXPECT_THAT(names(layer({"w"}, {}, {{py::text("note"), py::one_float()}})), ElementsAre("w"));
}

/// What torch.save writes for an object of TorchScript: its state and the name of its class.
py::Value script_object(const py::Value& state) {
  return py::build(py::object(py::global("torch", "ScriptObject")),
                   py::tuple({state, py::text("__torch__.torch.classes.quantized.LinearPackedParamsBase")}));
}

TEST(TorchModule, HasItsPackedWeightsUnderTheNamesOfItsStateDict) {
  const py::Value packed = script_object(py::tuple({py::one_float(), py::one_float()}));
  EXPECT_THAT(
      names(layer({}, {}, {{py::text("scale"), py::integer(1)}, {py::text("_packed_params"), packed}})),
      ElementsAre("_packed_params.0", "_packed_params.1"));
}

TEST(TorchModule, MayHaveScriptObjectsWithoutAClass) {
  EXPECT_THAT(names(layer({"w"}, {}, {{py::text("odd"), py::object(py::global("torch", "ScriptObject"))}})),
              ElementsAre("w"));
  const py::Value lone = py::build(py::object(py::global("torch", "ScriptObject")), py::one_float());
  EXPECT_THAT(names(layer({}, {}, {{py::text("odd"), lone}})), ElementsAre("odd.0"));
}

TEST(TorchModule, KeepsItsOtherStateAsExtras) {
  const Checkpoint checkpoint =
      load(zip_checkpoint(layer({"w"}, {}, {{py::text("width"), py::integer(7)}}), {{"0", floats(1)}}));
  const auto items = checkpoint.extras->list(10);
  EXPECT_TRUE(std::ranges::any_of(
      items, [](const ExtraItem& item) { return item.path == "width" && item.summary == "int 7"; }));
}

TEST(TorchModule, IsFoundInsideAnotherContainer) {
  EXPECT_THAT(names(py::dict({{py::text("net"), layer({"w"}, {})}})), ElementsAre("net.w"));
}

TEST(TorchModule, SharedUnderTwoNamesHasBoth) {
  const py::Value shared = py::keep(layer({"w"}, {}), 1);
  const py::Value modules = py::dict({{py::text("a"), shared}, {py::text("b"), py::again(1)}});
  EXPECT_THAT(names(py::module(py::global("m", "M"), py::dict({}), py::dict({}), modules)),
              ElementsAre("a.w", "b.w"));
}

TEST(TorchModule, MayHaveAClassThatTheLegacyStreamEmbeds) {
  const py::Value type = py::persistent(py::tuple({py::text("module"), py::global("my.model", "Layer"),
                                                   py::text("model.py"), py::text("class Layer: 1")}));
  const py::Value parameters =
      py::dict({{py::text("w"), py::tensor(legacy_storage("FloatStorage", "1", 1), 0, {1}, {1})}});
  const py::Value model = py::module(type, parameters, py::dict({}), py::dict({}));
  EXPECT_THAT(names_of(load(legacy_checkpoint(model, {{"1", 1, floats(1)}}))), ElementsAre("w"));
}

}  // namespace
}  // namespace weighbridge::test
