#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/numpy/joined_source.hpp"
#include "support/numpy_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

py::Value named_parameter(const py::Value& array) {
  return py::call(py::global("builtins", "tuple"), {py::tuple({py::text("linear_0.w_0"), array})});
}

py::Value slices_of(const py::Numbers& shape, const std::vector<std::string>& names) {
  py::Values texts;
  for (const std::string& name : names) texts.push_back(py::text(name));
  return py::dict({{py::text("emb"), py::dict({{py::text("OriginShape"), py::tuple_of(shape)},
                                               {py::text("slices"), py::list(texts)}})}});
}

Checkpoint load_value(const py::Value& value) { return load(py::pickle(value)); }

std::string refusal_of(const py::Value& value) {
  return error_of([&] { load_value(value); }).what();
}

TEST(Paddle, ParametersHaveTheNameOfTheirKey) {
  const Checkpoint checkpoint =
      load_value(py::dict({{py::text("fc.weight"), named_parameter(py::float_array({2}, 2))}}));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("fc.weight"));
}

TEST(Paddle, OtherTuplesAreEntered) {
  const py::Value plain = py::tuple({py::text("name"), py::float_array({2}, 2)});
  EXPECT_THAT(names_of(load_value(py::dict({{py::text("a"), plain}}))), ElementsAre("a.1"));
}

TEST(Paddle, SlicesAreJoined) {
  const Checkpoint checkpoint = load_value(
      py::dict({{py::text("emb@@.0"), py::array({2}, py::dtype("f4"), py::bytes(floats(4).substr(0, 8)))},
                {py::text("emb@@.1"), py::array({2}, py::dtype("f4"), py::bytes(floats(4).substr(8)))},
                {py::text("b"), py::float_array({1}, 1)},
                {py::text("UnpackBigParamInfor@@"), slices_of({2, 2}, {"emb@@.0", "emb@@.1"})}}));
  ASSERT_THAT(names_of(checkpoint), ElementsAre("b", "emb"));
  EXPECT_EQ(checkpoint.tensors[1].spec.shape, Shape({2, 2}));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(4));
}

TEST(Paddle, SlicesThatDoNotFitAreRefused) {
  const auto refusal = [](const py::Numbers& shape, const std::vector<std::string>& names) {
    return refusal_of(py::dict({{py::text("a"), py::float_array({2}, 2)},
                                {py::text("d"), py::array({1}, py::dtype("f8"), py::bytes(floats(2)))},
                                {py::text("m"), py::float_array({1, 2}, 2)},
                                {py::text("UnpackBigParamInfor@@"), slices_of(shape, names)}}));
  };
  EXPECT_THAT(refusal({3}, {"a"}), HasSubstr("tensor 'emb': shape [3] of <f4 needs 12 bytes, 8"));
  EXPECT_THAT(refusal({4}, {"a", "a"}), HasSubstr("'a' is used twice"));
  EXPECT_THAT(refusal({4}, {"a", "x"}), HasSubstr("'x' is not in the file"));
  EXPECT_THAT(refusal({4}, {"a", "d"}), HasSubstr("different types"));
  EXPECT_THAT(refusal({2}, {"m"}), HasSubstr("no array of one dimension"));
  EXPECT_THAT(refusal({2}, {}), HasSubstr("names none"));
}

TEST(Paddle, SixteenBitIntegersAreBfloat16OnRequest) {
  const std::string file =
      py::pickle(py::dict({{py::text("w"), py::array({2}, py::dtype("u2"), py::bytes("abcd"))}}));
  EXPECT_EQ(load(file).tensors[0].spec.dtype, DType::U16);
  OpenOptions options;
  options.paddle_bf16 = true;
  EXPECT_EQ(read_checkpoint(source_of(file), options).tensors[0].spec.dtype, DType::BF16);
}

py::Value eval_of(const py::Value& text, const py::Value& names) {
  return py::call(py::global("builtins", "eval"), {text, names});
}

TEST(Paddle, EvalOfAnArrayIsTheArray) {
  const py::Value names = py::dict({{py::text("data"), py::float_array({2}, 2)}});
  const Checkpoint checkpoint = load_value(py::dict(
      {{py::text("w"), eval_of(py::text("data"), names)},
       {py::text("v"), py::call(py::global("__builtin__", "eval"), {py::py2_string("data"), names})}}));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w", "v"));
  EXPECT_TRUE(checkpoint.findings.empty());
}

TEST(Paddle, EveryOtherEvalIsDangerous) {
  const py::Value array = py::float_array({1}, 1);
  const py::Value names = py::dict({{py::text("data"), array}});
  const auto codes = [&](const py::Value& use) {
    return codes_of(load_value(py::list({array, use, eval_of(py::text("data"), names)})));
  };
  EXPECT_THAT(codes(py::none()), Not(Contains("DangerousGlobal")));
  EXPECT_THAT(codes(eval_of(py::text("data.__class__"), names)), Contains("DangerousGlobal"));
  EXPECT_THAT(codes(eval_of(py::text("data"), py::dict({{py::text("data"), py::integer(1)}}))),
              Contains("DangerousGlobal"));
  EXPECT_THAT(codes(eval_of(py::text("data"), py::dict({{py::text("data"), array}, {py::text("x"), array}}))),
              Contains("DangerousGlobal"));
  EXPECT_THAT(codes(eval_of(py::text("data"), py::dict({{py::text("x"), array}}))),
              Contains("DangerousGlobal"));
  EXPECT_THAT(codes(py::call(py::global("builtins", "eval"), {py::text("data")})),
              Contains("DangerousGlobal"));
  EXPECT_THAT(codes(py::global("builtins", "eval")), Contains("DangerousGlobal"));
  EXPECT_THAT(codes(py::object(py::global("builtins", "eval"))), Contains("DangerousGlobal"));
}

TEST(JoinedSource, ReadsAcrossItsParts) {
  const SourcePtr joined = numpy::join(
      {{source_of("xabcx"), 1, 3}, {source_of(""), 0, 0}, {source_of("def"), 0, 3}, {source_of("g"), 0, 1}});
  ASSERT_EQ(joined->size(), 7U);
  for (std::size_t from = 0; from <= 7; ++from) {
    for (std::size_t count = 0; from + count <= 7; ++count) {
      const Buffer content = joined->read(from, count);
      EXPECT_TRUE(
          std::ranges::equal(content.bytes(), std::as_bytes(std::span("abcdefg").subspan(from, count))));
    }
  }
  EXPECT_EQ(error_of([&] { std::ignore = joined->read(5, 3); }).code(), ErrorCode::IoError);
  EXPECT_EQ(error_of([] { numpy::join({{source_of("abc"), 2, 2}}); }).code(), ErrorCode::IoError);
}

}  // namespace
}  // namespace weighbridge::test
