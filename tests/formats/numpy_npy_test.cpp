#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/numpy/literal.hpp"
#include "formats/numpy/npy.hpp"
#include "support/numpy_builder.hpp"

namespace weighbridge::test {
namespace {

using numpy::Literal;
using numpy::parse_literal;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string header(std::string_view descr, std::string_view shape, std::string_view fortran = "False") {
  return fmt::format("{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}   \n", descr, fortran, shape);
}

std::string refusal_of(const std::string& file) {
  return error_of([&] { load(file); }).what();
}

TEST(Npy, IsOneTensor) {
  const Checkpoint checkpoint = load(npy_file(header("'<f4'", "(2, 3)"), floats(6)));
  EXPECT_EQ(checkpoint.format, "npy");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("array"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(6));
}

TEST(Npy, KnowsOrdersFieldsAndSubArrays) {
  const Checkpoint turned = load(npy_file(header("'>f4'", "(2, 3)", "True"), floats(6)));
  EXPECT_EQ(turned.tensors[0].data.strides, std::vector<std::uint64_t>({4, 8}));
  EXPECT_EQ(turned.tensors[0].data.transform, Transform::Swap4);
  const Checkpoint fields =
      load(npy_file(header("[('x', '<f4'), ('', '|V4'), (('title', 'y'), '<i2', (2,))]", "(2,)"), floats(6)));
  ASSERT_THAT(names_of(fields), ElementsAre("array.x", "array.y"));
  EXPECT_EQ(fields.tensors[1].data.strides, std::vector<std::uint64_t>({12, 2}));
}

TEST(Npy, ReportsBytesBehindTheData) {
  EXPECT_THAT(codes_of(load(npy_file(header("'<f4'", "(1,)"), floats(2)))), ElementsAre("TrailingBytes"));
}

TEST(Npy, OfObjectsIsAPickle) {
  const py::Value objects =
      py::array({1}, py::dtype("O8", "|"), py::list({py::dict({{py::text("w"), py::float_array({2}, 2)}})}));
  EXPECT_THAT(names_of(load(npy_file(header("'|O'", "(1,)"), py::pickle(objects)))), ElementsAre("0.w"));
}

TEST(Npy, OfDangerousObjectsIsDangerous) {
  const py::Value evil = py::call(py::global("os", "system"), {py::text("true")});
  const Checkpoint checkpoint = load(npy_file(header("'|O'", "(1,)"), py::pickle(py::list({evil}))));
  EXPECT_THAT(codes_of(checkpoint), ElementsAre("DangerousGlobal"));
}

TEST(Npy, ThatIsWrongIsRefused) {
  EXPECT_THAT(refusal_of(npy_file(header("'<f4'", "(3,)"), floats(2))),
              HasSubstr("needs 12 bytes, 8 are there"));
  EXPECT_THAT(refusal_of(npy_file(header("'<f4'", "(-3,)"), floats(2))), HasSubstr("negative"));
  EXPECT_THAT(refusal_of(npy_file(header("'<q9'", "(3,)"), floats(2))), HasSubstr("'<q9' is not known"));
  EXPECT_THAT(refusal_of(npy_file(header("'<f4'", "(3,)", "1"), floats(2))), HasSubstr("fortran_order"));
  EXPECT_THAT(refusal_of(npy_file("{'descr': '<f4'}", "")), HasSubstr("has no 'fortran_order'"));
  EXPECT_THAT(refusal_of(npy_file("[]", "")), HasSubstr("not a dict"));
  EXPECT_THAT(refusal_of(std::string("\x93NUMPY\x01\0\xFF\xFF", 10)),
              HasSubstr("its header ends at byte 65545"));
  EXPECT_THAT(refusal_of(std::string("\x93NUMPY\x09\0\0\0", 10)), HasSubstr("version 9.0"));
  EXPECT_EQ(error_of([] { load(std::string("\x93NUMPY\x02\0\xFF\xFF\xFF\xFF", 12)); }).code(),
            ErrorCode::LimitExceeded);
  EXPECT_EQ(error_of([] {
              load(npy_file(header("'<f8'", "(999999999999999999, 999999999999999999)"), ""));
            }).code(),
            ErrorCode::ValidationOverflow);
}

TEST(NpyLiteral, ReadsWhatNumpyWrites) {
  const Literal value = parse_literal("{'a': (1, -2L,), \"b\": [True, None], 'c': (3), u'd': ()}\n");
  ASSERT_EQ(value.kind, Literal::Kind::Dict);
  ASSERT_EQ(value.items.size(), 8U);
  EXPECT_EQ(value.items[1].kind, Literal::Kind::Tuple);
  EXPECT_EQ(value.items[1].items[1].integer, -2);
  EXPECT_EQ(value.items[3].items[0].kind, Literal::Kind::Boolean);
  EXPECT_EQ(value.items[3].items[1].kind, Literal::Kind::None);
  EXPECT_EQ(value.items[5].kind, Literal::Kind::Integer);
  EXPECT_EQ(value.items[6].text, "d");
  EXPECT_TRUE(value.items[7].items.empty());
}

TEST(NpyLiteral, EvaluatesNothing) {
  for (const std::string_view text :
       {"__import__('os')", "1+1", "'a' 'b'", "'\\x41'", "(1", "[1 2]", "{1}", "'a", "", "1.5", "0x1", "-",
        "f'a'", "{'a': }", "99999999999999999999", "(,)", "True False", "'\xFF'"}) {
    EXPECT_EQ(error_of([&] { parse_literal(text); }).code(), ErrorCode::MalformedCheckpoint) << text;
  }
}

TEST(NpyLiteral, IsBoundedInDepth) {
  EXPECT_EQ(error_of([] { parse_literal(std::string(60'000, '(')); }).code(), ErrorCode::MalformedCheckpoint);
}

}  // namespace
}  // namespace weighbridge::test
