#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Entries = std::vector<std::pair<py::Value, py::Value>>;

py::Value weights() { return py::dict({{py::text("w"), py::one_float()}}); }
py::Value module() {
  return py::module(py::global("my.model", "Model"), weights(), py::dict({}), py::dict({}));
}
py::Value optimizer() {
  return py::dict({{py::text("state"), py::dict({{py::integer(0), weights()}})},
                   {py::text("param_groups"), py::list({})}});
}

std::string file_of(const std::vector<std::pair<std::string, py::Value>>& entries) {
  Entries keyed;
  for (const auto& [key, value] : entries) keyed.emplace_back(py::text(key), value);
  return zip_checkpoint(py::dict(keyed), {{"0", floats(1)}}).bytes();
}

std::string root_of(const std::vector<std::pair<std::string, py::Value>>& entries) {
  return load_found(file_of(entries)).root;
}

TEST(TorchRoot, IsTheWholeWhenItHoldsTensorsItself) {
  EXPECT_EQ(root_of({{"w", py::one_float()}, {"epoch", py::integer(3)}}), ".");
}

TEST(TorchRoot, IsUnderTheWrapperKey) {
  const Checkpoint checkpoint =
      load_found(file_of({{"epoch", py::integer(3)}, {"state_dict", weights()}, {"optimizer", optimizer()}}));
  EXPECT_EQ(checkpoint.root, "state_dict");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
}

TEST(TorchRoot, PrefersWrapperKeysInTheirOrder) {
  EXPECT_EQ(root_of({{"params", weights()}, {"params_ema", weights()}}), "params_ema");
  EXPECT_EQ(root_of({{"model", weights()}, {"state_dict", weights()}}), "state_dict");
  EXPECT_EQ(root_of({{"state_dict", weights()}, {"model_state_dict", weights()}}), "model_state_dict");
}

TEST(TorchRoot, TakesAWrapperBeforeTensorsBesideIt) {
  EXPECT_EQ(root_of({{"step", py::one_float()}, {"model", weights()}}), "model");
}

TEST(TorchRoot, IgnoresWrapperKeysWithoutTensors) {
  EXPECT_EQ(root_of({{"params", py::dict({{py::text("lr"), py::real(0.1)}})}, {"w", py::one_float()}}), ".");
}

TEST(TorchRoot, EntersSeveralLevels) {
  EXPECT_EQ(root_of({{"checkpoint",
                      py::dict({{py::text("model"), py::dict({{py::text("state_dict"), weights()}})}})}}),
            "checkpoint.model.state_dict");
}

TEST(TorchRoot, OfWholeModulesIsTheModule) {
  EXPECT_EQ(root_of({{"model", module()}, {"epoch", py::integer(1)}}), "model");
}

TEST(TorchRoot, PrefersTheAveragedOfTwoWholeModules) {
  EXPECT_EQ(root_of({{"model", module()}, {"ema", module()}}), "ema");
  EXPECT_EQ(root_of({{"model", module()}, {"ema", py::none()}}), "model");
  EXPECT_EQ(root_of({{"model", weights()}, {"ema", weights()}}), "model");
}

TEST(TorchRoot, OfSeveralNetworksIsTheWholeWithoutOptimizers) {
  const Checkpoint checkpoint =
      load_found(file_of({{"actor", weights()}, {"critic", weights()}, {"critic_optimizer", optimizer()}}));
  EXPECT_EQ(checkpoint.root, ".");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("actor.w", "critic.w"));
  EXPECT_THAT(codes_of(checkpoint), ::testing::Contains("TensorsNotTaken"));
}

TEST(TorchRoot, OfAnOptimizerAloneIsTheOptimizer) {
  EXPECT_THAT(names_of(load_found(file_of({{"optimizer", optimizer()}, {"epoch", py::integer(1)}}))).size(),
              1U);
}

TEST(TorchKey, DotTakesEverything) {
  const std::string file = file_of({{"state_dict", weights()}, {"optimizer", optimizer()}});
  EXPECT_THAT(names_of(load(file)), ElementsAre("state_dict.w", "optimizer.state.0.w"));
}

TEST(TorchKey, TakesASubTreeUnderItsOwnNames) {
  const std::string file = file_of({{"state_dict", weights()}, {"optimizer", optimizer()}});
  const Checkpoint checkpoint = load(file, "optimizer.state.0");
  EXPECT_EQ(checkpoint.root, "optimizer.state.0");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
}

TEST(TorchKey, MayContainDotsOfItsOwn) {
  EXPECT_THAT(
      names_of(load(file_of({{"a.b", weights()}, {"a", py::dict({{py::text("c"), weights()}})}}), "a.b")),
      ElementsAre("w"));
}

TEST(TorchKey, ThatIsAbsentIsAnsweredWithWhatThereIs) {
  const Error error =
      error_of([] { load(file_of({{"state_dict", weights()}, {"other", weights()}}), "model"); });
  EXPECT_EQ(error.code(), ErrorCode::NoTensors);
  EXPECT_THAT(error.what(), HasSubstr("nothing at 'model'; the file has '.', 'state_dict', 'other'"));
}

TEST(TorchRoot, CandidatesAreListedWithTheirTensors) {
  const Checkpoint checkpoint = load_found(file_of({{"model", module()}, {"optimizer", optimizer()}}));
  ASSERT_EQ(checkpoint.candidates.size(), 3U);
  EXPECT_EQ(checkpoint.candidates[0].path, ".");
  EXPECT_EQ(checkpoint.candidates[0].tensors, 2U);
  EXPECT_EQ(checkpoint.candidates[1].path, "model");
  EXPECT_EQ(checkpoint.candidates[1].tensors, 1U);
}

}  // namespace
}  // namespace weighbridge::test
