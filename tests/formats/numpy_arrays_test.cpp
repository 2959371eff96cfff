#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/numpy_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Checkpoint load_value(const py::Value& value) { return load(py::pickle(value)); }

/// The message of the error that reading the value gives.
std::string refusal_of(const py::Value& value) {
  return error_of([&] { load_value(value); }).what();
}

ErrorCode code_of(const py::Value& value) {
  return error_of([&] { load_value(value); }).code();
}

py::Value named(const py::Value& array) { return py::dict({{py::text("w"), array}}); }

TEST(NumpyArrays, AreTensorsUnderTheirPath) {
  const Checkpoint checkpoint = load_value(
      py::dict({{py::text("a"), py::list({py::float_array({2, 3}, 6), py::float_array({1}, 1)})}}));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("a.0", "a.1"));
  EXPECT_EQ(checkpoint.tensors[0].spec.shape, Shape({2, 3}));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(6));
  EXPECT_TRUE(checkpoint.tensors[0].data.strides.empty());
  EXPECT_EQ(checkpoint.metadata->find("format")->second, "np");
}

TEST(NumpyArrays, OfFortranOrderHaveStrides) {
  const Checkpoint checkpoint =
      load_value(named(py::array({2, 3}, py::dtype("f4"), py::bytes(floats(6)), true)));
  EXPECT_EQ(checkpoint.tensors[0].data.strides, std::vector<std::uint64_t>({4, 8}));
}

TEST(NumpyArrays, OfTheOtherByteOrderAreSwapped) {
  const Checkpoint checkpoint = load_value(named(py::array({2}, py::dtype("i8", ">"), py::bytes(floats(4)))));
  EXPECT_EQ(checkpoint.tensors[0].data.transform, Transform::Swap8);
  const Checkpoint complex = load_value(named(py::array({2}, py::dtype("c8", ">"), py::bytes(floats(4)))));
  EXPECT_EQ(complex.tensors[0].data.transform, Transform::Swap4);
}

TEST(NumpyArrays, OfBooleansAreNormalised) {
  const Checkpoint checkpoint =
      load_value(named(py::array({2}, py::dtype("b1", "|"), py::bytes("\x01\xFF"))));
  EXPECT_EQ(checkpoint.tensors[0].data.transform, Transform::Booleans);
}

TEST(NumpyArrays, OfPython2AndOfTextHaveTheirBytes) {
  EXPECT_EQ(
      content_of(load_value(named(py::array({4}, py::dtype("u1", "|"), py::py2_string("\x01\xFFz\x80"))))
                     .tensors[0]),
      "\x01\xFFz\x80");
  EXPECT_EQ(
      content_of(load_value(named(py::array({2}, py::dtype("u1", "|"), py::text("a\xC3\xBF")))).tensors[0]),
      "a\xFF");
  EXPECT_THAT(refusal_of(named(py::array({1}, py::dtype("u1", "|"), py::text("\xE2\x82\xAC")))),
              HasSubstr("characters that are no bytes"));
}

TEST(NumpyArrays, OfVeryOldStatesHaveNoVersion) {
  const py::Value old =
      py::build(py::call(py::global("numpy.core.multiarray", "_reconstruct"),
                         {py::global("numpy", "ndarray"), py::tuple_of({0}), py::py2_string("b")}),
                py::tuple({py::tuple_of({3}), py::dtype("f4"), py::boolean(false), py::bytes(floats(3))}));
  EXPECT_EQ(content_of(load_value(named(old)).tensors[0]), floats(3));
}

TEST(NumpyArrays, OfStructuresAreOneTensorForEachField) {
  const py::Value type = py::structure(12, {{"x", py::dtype("f4"), 0},
                                            {"box", py::sub_array(py::dtype("i2"), {2}), 4},
                                            {"name", py::dtype("S4", "|"), 8}});
  const Checkpoint checkpoint = load_value(named(py::array({5}, type, py::bytes(std::string(60, 'x')))));
  ASSERT_THAT(names_of(checkpoint), ElementsAre("w.x", "w.box"));
  EXPECT_EQ(checkpoint.tensors[0].data.strides, std::vector<std::uint64_t>({12}));
  EXPECT_EQ(checkpoint.tensors[1].spec.shape, Shape({5, 2}));
  EXPECT_EQ(checkpoint.tensors[1].data.offset, 4U);
  EXPECT_EQ(checkpoint.tensors[1].data.strides, std::vector<std::uint64_t>({12, 2}));
  const auto tree = nlohmann::json::parse(checkpoint.extras->to_json(Limits{})).at("tree").at("w");
  EXPECT_EQ(tree.at("$numpy"), "[('x', '<f4'), ('box', '<i2', (2,)), ('name', '|S4')]");
  EXPECT_TRUE(tree.contains("$bytes"));
}

TEST(NumpyArrays, OfComplex128CanBeSplit) {
  const std::string file = py::pickle(named(py::array({2}, py::dtype("c16", ">"), py::bytes(floats(8)))));
  const Error refused = error_of([&] { load(file); });
  EXPECT_EQ(refused.code(), ErrorCode::Unsupported);
  EXPECT_THAT(refused.what(), HasSubstr("tensor 'w'"));
  OpenOptions options;
  options.split_complex = true;
  const Checkpoint split = read_checkpoint(source_of(file), options);
  ASSERT_THAT(names_of(split), ElementsAre("w.real", "w.imag"));
  EXPECT_EQ(split.tensors[1].data.offset, 8U);
  EXPECT_EQ(split.tensors[1].data.transform, Transform::Swap8);
}

TEST(NumpyArrays, OfObjectsAreEntered) {
  const py::Value objects =
      py::array({1, 2}, py::dtype("O8", "|"), py::list({py::float_array({2}, 2), py::text("text")}));
  const Checkpoint checkpoint = load_value(named(objects));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w.0"));
  EXPECT_EQ(checkpoint.extras->count(), 1U);
  EXPECT_THAT(refusal_of(py::dict({{py::text("a"), py::array({3}, py::dtype("O8", "|"), py::list({}))}})),
              HasSubstr("it has 0 objects, shape [3] needs 3"));
}

TEST(NumpyArrays, OfTextAreKeptBeside) {
  const py::Value text = py::array({1}, py::dtype("U1"), py::bytes(std::string("a\0\0\0", 4)));
  const Checkpoint checkpoint =
      load_value(py::dict({{py::text("w"), py::float_array({1}, 1)}, {py::text("t"), text}}));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_THAT(codes_of(checkpoint), ElementsAre("ArraysNotTaken"));
  const auto tree = nlohmann::json::parse(checkpoint.extras->to_json(Limits{})).at("tree").at("t");
  EXPECT_EQ(tree, nlohmann::json::parse(R"({"$ndarray": "<U1", "$shape": [1], "$bytes": "YQAAAA=="})"));
}

TEST(NumpyArrays, OfTextAloneAreRefused) {
  const py::Value text = py::array({1}, py::dtype("U1"), py::bytes("abcd"));
  const Error error = error_of([&] { load_found(py::pickle(named(text))); });
  EXPECT_EQ(error.code(), ErrorCode::Unsupported);
  EXPECT_THAT(error.what(), HasSubstr("holds text"));
}

TEST(NumpyArrays, AreReportedAsExtractionInObjectsOfOtherLibraries) {
  const py::Value estimator =
      py::build(py::object(py::global("sklearn.linear_model", "Ridge")),
                py::dict({{py::text("coef_"), py::float_array({3}, 3)}, {py::text("alpha"), py::real(1)}}));
  const Checkpoint checkpoint = load_value(estimator);
  EXPECT_THAT(names_of(checkpoint), ElementsAre("coef_"));
  EXPECT_THAT(codes_of(checkpoint), ElementsAre("UnknownGlobal", "ArrayExtraction"));
}

TEST(NumpyArrays, OfCompiledClassesAreFoundByIndex) {
  const py::Value tree = py::build(py::call(py::global("sklearn.tree._tree", "Tree"),
                                            {py::integer(4), py::float_array({1}, 1), py::integer(1)}),
                                   py::tuple({py::integer(1), py::float_array({2}, 2)}));
  EXPECT_THAT(names_of(load_value(tree)), ElementsAre("$args.1", "1"));
}

TEST(NumpyArrays, InPersistentModulesAreTheirStateDict) {
  const py::Value state =
      py::dict({{py::text("_parameters"), py::dict({{py::text("w"), py::float_array({1}, 1)}})},
                {py::text("_buffers"), py::dict({})},
                {py::text("_modules"), py::dict({})}});
  const py::Value module =
      py::call(py::global("torch_utils.persistence", "_reconstruct_persistent_obj"),
               {py::dict({{py::text("type"), py::text("class")}, {py::text("state"), state}})});
  EXPECT_THAT(names_of(load_value(module)), ElementsAre("w"));
}

TEST(NumpyArrays, ThatAreWrongAreRefusedByName) {
  const auto floats_of = [](const py::Numbers& shape, int count) {
    return named(py::array(shape, py::dtype("f4"), py::bytes(floats(count))));
  };
  EXPECT_THAT(refusal_of(floats_of({2, 3}, 5)),
              HasSubstr("tensor 'w': shape [2, 3] of <f4 needs 24 bytes, 20"));
  EXPECT_THAT(refusal_of(floats_of({-1}, 1)), HasSubstr("is -1, which is negative"));
  EXPECT_EQ(code_of(floats_of({INT64_MAX, 8}, 1)), ErrorCode::ValidationOverflow);
  EXPECT_EQ(code_of(floats_of({0, INT64_MAX, INT64_MAX}, 0)), ErrorCode::ValidationOverflow);
  EXPECT_EQ(code_of(floats_of(py::Numbers(256, 1), 1)), ErrorCode::LimitExceeded);
  EXPECT_THAT(refusal_of(named(py::array({1}, py::dtype("f4"), py::integer(3)))),
              HasSubstr("bytes are needed"));
  EXPECT_THAT(refusal_of(named(py::array({1}, py::dtype("f4", "pdp"), py::bytes("abcd")))),
              HasSubstr("byte order"));
  EXPECT_THAT(refusal_of(named(py::call(py::global("numpy.core.multiarray", "_reconstruct"), {}))),
              HasSubstr("without its state"));
}

TEST(NumpyArrays, OfFieldsThatLeaveTheElementAreRefused) {
  const auto refusal = [](std::int64_t bytes, std::int64_t offset) {
    const py::Value type = py::structure(bytes, {{"x", py::dtype("f4"), offset}});
    return refusal_of(named(py::array({1}, type, py::bytes(std::string(8, 'x')))));
  };
  EXPECT_THAT(refusal(8, 5), HasSubstr("the field 'x' has 4 bytes at byte 5 of an element of 8"));
  EXPECT_THAT(refusal(8, -1), HasSubstr("is no number"));
  EXPECT_THAT(refusal(8, INT64_MAX), HasSubstr("the field 'x'"));
}

TEST(NumpyArrays, OfDtypesThatHoldThemselvesAreRefused) {
  const py::Value self = py::keep(py::call(py::global("numpy", "dtype"), {py::text("V8")}), 0);
  const py::Value type =
      py::build(self, py::tuple({py::integer(3), py::text("|"), py::tuple({py::again(0), py::tuple_of({1})}),
                                 py::none(), py::none(), py::integer(8), py::integer(1), py::integer(0)}));
  EXPECT_EQ(code_of(named(py::array({1}, type, py::bytes("abcdefgh")))), ErrorCode::LimitExceeded);
}

TEST(NumpyArrays, OfDtypesThatMultiplyAreRefused) {
  py::Value type = py::dtype("u1", "|");
  for (int level = 0; level < 8; ++level) {
    std::vector<py::FieldOf> fields;
    const auto number = static_cast<std::uint8_t>(level);
    for (int i = 0; i < 8; ++i) {
      fields.push_back({std::string(1, static_cast<char>('a' + i)),
                        i == 0 ? py::keep(type, number) : py::again(number), 0});
    }
    type = py::structure(1, fields);
  }
  EXPECT_EQ(code_of(named(py::array({1}, type, py::bytes("x")))), ErrorCode::LimitExceeded);
}

TEST(NumpyScalars, AreValuesUnlessTheyAreAll) {
  const py::Value scalar = py::call(py::global("numpy.core.multiarray", "scalar"),
                                    {py::dtype("f8"), py::bytes(std::string(8, '\0'))});
  const Checkpoint alone = load_value(scalar);
  EXPECT_THAT(names_of(alone), ElementsAre("array"));
  const Checkpoint beside =
      load_value(py::dict({{py::text("w"), py::float_array({1}, 1)}, {py::text("s"), scalar}}));
  EXPECT_THAT(names_of(beside), ElementsAre("w"));
  EXPECT_EQ(beside.extras->list(5).front().summary, "scalar <f8 []");
}

TEST(NumpyScalars, OfOtherSizesThanTheirTypeAreRefused) {
  const py::Value scalar =
      py::call(py::global("numpy.core.multiarray", "scalar"), {py::dtype("f8"), py::bytes("abc")});
  EXPECT_THAT(refusal_of(scalar), HasSubstr("needs 8 bytes, 3 are there"));
}

}  // namespace
}  // namespace weighbridge::test
