#include <limits>
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

TEST(Sidecar, NumbersSharedAndCyclicContainers) {
  const py::Value shared = py::keep(py::list({py::integer(1)}), 1);
  EXPECT_EQ(tree_of(py::dict({{py::text("a"), shared}, {py::text("b"), py::again(1)}})),
            Json::parse(R"({"a": {"$id": 1, "$list": [1]}, "b": {"$ref": 1}})"));
  EXPECT_EQ(tree_of(py::keep("]", 1) + py::again(1) + "a"),
            Json::parse(R"({"$id": 1, "$list": [{"$ref": 1}]})"));
  EXPECT_EQ(tree_of(py::tuple({py::keep("]", 1), py::again(1)})),
            Json::parse(R"({"$tuple": [{"$id": 1, "$list": []}, {"$ref": 1}]})"));
}

TEST(Sidecar, TellsStringsOfPython2AndOddNaNs) {
  EXPECT_EQ(tree_of(py::py2_string("ascii")), Json::parse(R"("ascii")"));
  EXPECT_EQ(tree_of(py::py2_string("\xFF")), Json::parse(R"({"$py2": "/w=="})"));
  EXPECT_EQ(tree_of(py::real(std::numeric_limits<double>::quiet_NaN())), Json::parse(R"({"$float": "nan"})"));
  EXPECT_EQ(tree_of(py::real(-std::numeric_limits<double>::quiet_NaN())),
            Json::parse(R"({"$float": "nan:fff8000000000000"})"));
}

TEST(Sidecar, KeepsFactoriesAndLengths) {
  EXPECT_EQ(tree_of(py::call(py::global("collections", "defaultdict"), {py::global("builtins", "list")})),
            Json::parse(R"({"$class": "collections.defaultdict", "$args": [{"$global": "builtins.list"}],
                            "$dict": {}})"));
  EXPECT_EQ(tree_of(py::call(py::global("collections", "deque"), {py::list({}), py::integer(3)})),
            Json::parse(R"({"$class": "collections.deque", "$args": [3], "$list": []})"));
}

TEST(Sidecar, KeepsWhatATensorWasInTorch) {
  const py::Value parameter =
      py::call(py::global("torch._utils", "_rebuild_parameter"),
               {py::one_float(), py::boolean(true), py::call(py::global("collections", "OrderedDict"), {})});
  EXPECT_EQ(tree_of(py::dict({{py::text("p"), parameter}})), Json::parse(R"({"p": {"$tensor": "p",
            "$class": "torch.nn.parameter.Parameter", "$requires_grad": true}})"));
  const py::Value turned = py::tensor(py::storage("FloatStorage", "0", 4), 0, {2, 2}, {1, 2});
  const Checkpoint checkpoint = load(zip_checkpoint(py::dict({{py::text("t"), turned}}), {{"0", floats(4)}}));
  EXPECT_EQ(Json::parse(checkpoint.extras->to_json(Limits{})).at("tree"),
            Json::parse(R"({"t": {"$tensor": "t", "$strides": [1, 2]}})"));
}

TEST(Sidecar, KeepsSourcesOnlyWhenAsked) {
  const py::Value type = py::persistent(py::tuple(
      {py::text("module"), py::global("my.net", "Net"), py::text("net.py"), py::text("class Net: pass")}));
  const std::string file = legacy_checkpoint(py::list({py::object(type), py::object(type)}), {});
  const auto tree = [&](bool keep) {
    OpenOptions options;
    options.keep_sources = keep;
    return Json::parse(read_checkpoint(source_of(file), options).extras->to_json(Limits{})).at("tree");
  };
  EXPECT_EQ(tree(false), Json::parse(R"([{"$class": "my.net.Net"}, {"$class": "my.net.Net"}])"));
  EXPECT_EQ(tree(true)[0], Json::parse(R"({"$class": "my.net.Net", "$source": "class Net: pass"})"));
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
