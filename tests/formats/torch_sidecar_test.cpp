#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using Json = nlohmann::json;

Json tree_of(const py::Value& root) {
  const Checkpoint checkpoint = load(zip_checkpoint(root, {{"0", floats(1)}}));
  return Json::parse(checkpoint.extras->to_json(Limits{})).at("tree");
}

TEST(Sidecar, KeepsPlainValuesPlain) {
  const Json tree = tree_of(py::dict({{py::text("n"), py::integer(3)},
                                      {py::text("x"), py::real(0.1)},
                                      {py::text("s"), py::text("\xC3\xA9")},
                                      {py::text("l"), py::list({py::none(), py::boolean(true)})}}));
  EXPECT_EQ(tree, Json::parse(R"({"n": 3, "x": 0.1, "s": "\u00e9", "l": [null, true]})"));
}

TEST(Sidecar, TagsWhatJsonDoesNotKnow) {
  EXPECT_EQ(tree_of(py::tuple({py::integer(1)})), Json::parse(R"({"$tuple": [1]})"));
  EXPECT_EQ(tree_of(py::bytes("ab")), Json::parse(R"({"$bytes": "YWI="})"));
  EXPECT_EQ(tree_of(py::integer(std::int64_t{1} << 60)), Json::parse(R"({"$int": "1152921504606846976"})"));
  EXPECT_EQ(tree_of(py::real(-0.0)), Json::parse(R"({"$float": "-0"})"));
  EXPECT_EQ(tree_of(py::real(std::numeric_limits<double>::infinity())), Json::parse(R"({"$float": "inf"})"));
  EXPECT_EQ(tree_of(py::global("torch", "float16")), Json::parse(R"({"$dtype": "float16"})"));
  EXPECT_EQ(tree_of(py::call(py::global("torch", "device"), {py::text("cuda"), py::integer(1)})),
            Json::parse(R"({"$device": ["cuda", 1]})"));
}

TEST(Sidecar, WritesBigIntegersInHexadecimal) {
  EXPECT_EQ(tree_of(std::string("\x8a\x09\0\0\0\0\0\0\0\0\x01", 11)),
            Json::parse(R"({"$int": "0x010000000000000000"})"));
  EXPECT_EQ(tree_of(std::string("\x8a\x09\0\0\0\0\0\0\0\0\xFF", 11)),
            Json::parse(R"({"$int": "-0x010000000000000000"})"));
}

TEST(Sidecar, KeepsKeysThatAreNoText) {
  EXPECT_EQ(tree_of(py::dict({{py::integer(1), py::text("a")}})), Json::parse(R"({"$dict": [[1, "a"]]})"));
  EXPECT_EQ(tree_of(py::dict({{py::text("$tuple"), py::list({})}})),
            Json::parse(R"({"$dict": [["$tuple", []]]})"));
}

TEST(Sidecar, KeepsObjectsAsTheirParts) {
  const py::Value object =
      py::build(py::object(py::global("argparse", "Namespace")), py::dict({{py::text("lr"), py::real(0.5)}}));
  EXPECT_EQ(tree_of(object), Json::parse(R"({"$class": "argparse.Namespace", "$state": {"lr": 0.5}})"));
  EXPECT_EQ(tree_of(py::call(py::global("my.module", "f"), {py::integer(1)})),
            Json::parse(R"({"$class": "my.module.f", "$args": [1]})"));
}

TEST(Sidecar, ReplacesTensorsByTheirNames) {
  EXPECT_EQ(tree_of(py::dict({{py::text("w"), py::one_float()}})), Json::parse(R"({"w": {"$tensor": "w"}})"));
}

TEST(Sidecar, DescribesTensorsThatWereNotTaken) {
  const py::Value root = py::dict(
      {{py::text("a"), py::dict({{py::text("w"), py::one_float()}})}, {py::text("b"), py::one_float()}});
  const Checkpoint checkpoint = load(zip_checkpoint(root, {{"0", floats(1)}}), "a");
  EXPECT_EQ(Json::parse(checkpoint.extras->to_json(Limits{})).at("tree").at("b"),
            Json::parse(R"({"$tensor": null, "$summary": "tensor F32 [1]"})"));
}

TEST(Sidecar, RefersToSharedAndCyclicContainers) {
  const py::Value shared = py::keep(py::list({py::integer(1)}), 1);
  EXPECT_EQ(tree_of(py::dict({{py::text("a"), shared}, {py::text("b"), py::again(1)}})),
            Json::parse(R"({"a": [1], "b": {"$ref": "a"}})"));
  EXPECT_EQ(tree_of(py::keep("]", 1) + py::again(1) + "a"), Json::parse(R"([{"$ref": "."}])"));
}

TEST(Sidecar, StopsAtItsBudget) {
  const Checkpoint checkpoint = load(py::pickle(py::bytes(std::string(10'000, 'x'))));
  Limits limits;
  limits.sidecar_bytes = 1000;
  EXPECT_EQ(error_of([&] { std::ignore = checkpoint.extras->to_json(limits); }).code(),
            ErrorCode::LimitExceeded);
}

TEST(Extras, ListLeavesWithTheirPaths) {
  const Checkpoint checkpoint = load(py::pickle(
      py::dict({{py::text("epoch"), py::integer(3)},
                {py::text("hyper"),
                 py::dict({{py::text("name"), py::text("adam")}, {py::text("none"), py::dict({})}})},
                {py::text("device"), py::call(py::global("torch", "device"), {py::text("cuda:0")})}})));
  EXPECT_EQ(checkpoint.extras->count(), 4U);
  std::vector<std::string> lines;
  for (const ExtraItem& item : checkpoint.extras->list(10)) lines.push_back(item.path + ": " + item.summary);
  EXPECT_THAT(lines, ElementsAre("epoch: int 3", "hyper.name: str 'adam'", "hyper.none: dict of 0",
                                 "device: torch.device('cuda:0')"));
  EXPECT_EQ(checkpoint.extras->list(2).size(), 2U);
}

}  // namespace
}  // namespace weighbridge::test
