#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/numpy_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string array(std::string_view descr, std::string_view shape, std::string_view data,
                  std::string_view fortran = "False") {
  return npy_file(fmt::format("{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}\n", descr, fortran, shape),
                  data);
}

std::string float_array(int count) { return array("'<f4'", fmt::format("({},)", count), floats(count)); }

Error refusal_of(const ZipBuilder& zip) {
  return error_of([&] { load(zip); });
}

TEST(Npz, HoldsATensorForEachEntry) {
  ZipBuilder zip;
  zip.add("w.npy", float_array(2));
  zip.add_deflated("layers.0/bias.npy", float_array(3));
  const Checkpoint checkpoint = load(zip);
  EXPECT_EQ(checkpoint.format, "npz");
  EXPECT_EQ(checkpoint.metadata, (Metadata{{"format", "np"}}));
  ASSERT_THAT(names_of(checkpoint), ElementsAre("w", "layers.0/bias"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(2));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(3));
}

TEST(Npz, IsToldFromOtherArchivesByAllOfItsEntries) {
  ZipBuilder arrays;
  arrays.add("w.npy", float_array(1));
  EXPECT_EQ(find_format(*arrays.source()), "npz");
  ZipBuilder checkpoint = zip_checkpoint(py::dict({{py::text("w"), py::one_float()}}), {{"0", floats(1)}});
  EXPECT_EQ(find_format(*checkpoint.source()), "torch-zip");
  ZipBuilder mixed;
  mixed.add("w.npy", float_array(1));
  mixed.add("readme.txt", "text");
  EXPECT_EQ(refusal_of(mixed).code(), ErrorCode::UnknownFormat);
}

TEST(Npz, TellsNamesApartByCaseAsNumpyDoes) {
  ZipBuilder zip;
  zip.add("W.npy", float_array(1));
  zip.add("w.npy", float_array(2));
  EXPECT_THAT(names_of(load(zip)), ElementsAre("W", "w"));
  zip.add("w.npy", float_array(3));
  EXPECT_EQ(refusal_of(zip).code(), ErrorCode::MalformedArchive);
}

TEST(Npz, NeedsNoAlignment) {
  ZipBuilder zip;
  zip.add("abc.npy", float_array(2)).local.extra = std::string("xx\1\0y", 5);
  EXPECT_EQ(content_of(load(zip).tensors[0]), floats(2));
}

TEST(Npz, KnowsZip64) {
  ZipBuilder zip;
  zip.zip64_end = true;
  zip.add("w.npy", float_array(2)).zip64 = true;
  EXPECT_EQ(content_of(load(zip).tensors[0]), floats(2));
}

TEST(Npz, KeepsOrdersFieldsAndObjects) {
  ZipBuilder zip;
  zip.add("turned.npy", array("'>f4'", "(2, 3)", floats(6), "True"));
  zip.add("rows.npy", array("[('x', '<f4'), ('y', '<i2', (2,))]", "(2,)", floats(4)));
  zip.add("things.npy",
          array("'|O'", "(1,)",
                py::pickle(py::array({1}, py::dtype("O8", "|"),
                                     py::list({py::dict({{py::text("w"), py::float_array({2}, 2)}})})))));
  const Checkpoint checkpoint = load(zip);
  EXPECT_THAT(names_of(checkpoint), ElementsAre("turned", "rows.x", "rows.y", "things.0.w"));
  EXPECT_EQ(checkpoint.tensors[0].data.strides, std::vector<std::uint64_t>({4, 8}));
  EXPECT_EQ(checkpoint.tensors[0].data.transform, Transform::Swap4);
}

TEST(Npz, KeepsTextAmongTheOtherValues) {
  ZipBuilder zip;
  zip.add("w.npy", float_array(1));
  zip.add("labels.npy", array("'|S2'", "(2,)", "abcd"));
  const Checkpoint checkpoint = load(zip);
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_THAT(codes_of(checkpoint), ElementsAre("ArraysNotTaken"));
  ASSERT_NE(checkpoint.extras, nullptr);
  EXPECT_EQ(checkpoint.extras->count(), 1U);
  EXPECT_THAT(checkpoint.extras->to_json({}), HasSubstr("labels"));
}

TEST(Npz, NamesDangerousObjects) {
  ZipBuilder zip;
  zip.add("evil.npy",
          array("'|O'", "(1,)",
                py::pickle(py::list({py::call(py::global("os", "system"), {py::text("true")})}))));
  EXPECT_THAT(codes_of(load(zip)), ElementsAre("DangerousGlobal"));
}

TEST(Npz, CanBeReadInPart) {
  ZipBuilder zip;
  zip.add("a.w.npy", float_array(1));
  zip.add("a.b.npy", float_array(2));
  zip.add("ab.npy", float_array(3));
  EXPECT_THAT(names_of(load(zip, "a")), ElementsAre("w", "b"));
  EXPECT_THAT(names_of(load(zip, "ab")), ElementsAre("ab"));
  EXPECT_EQ(error_of([&] { load(zip, "c"); }).code(), ErrorCode::NoTensors);
}

TEST(Npz, ThatIsWrongIsRefusedWithTheEntryNamed) {
  ZipBuilder cut;
  cut.add("w.npy", float_array(2).substr(0, 60));
  EXPECT_THAT(refusal_of(cut).what(), HasSubstr("'w.npy': "));
  ZipBuilder text;
  text.add("w.npy", "no array at all");
  EXPECT_THAT(refusal_of(text).what(), HasSubstr("does not start with its magic bytes"));
  ZipBuilder collision;
  collision.add("rows.npy", array("[('x', '<f4')]", "(2,)", floats(2)));
  collision.add("rows.x.npy", float_array(1));
  EXPECT_EQ(refusal_of(collision).code(), ErrorCode::NameCollision);
}

TEST(NumpyVoid, OfTwoBytesIsBfloat16UnlessBytesAreAskedFor) {
  ZipBuilder zip;
  zip.add("little.npy", array("'<V2'", "(3,)", "abcdef"));
  zip.add("big.npy", array("'>V2'", "(3,)", "abcdef"));
  const Checkpoint checkpoint = load(zip);
  EXPECT_EQ(checkpoint.tensors[0].spec.dtype, DType::BF16);
  EXPECT_EQ(checkpoint.tensors[1].data.transform, Transform::Swap2);
  OpenOptions options;
  options.numpy_void = VoidPolicy::Bytes;
  const Checkpoint raw = read_checkpoint(zip.source(), options);
  EXPECT_EQ(raw.tensors[0].spec.dtype, DType::U8);
  EXPECT_EQ(raw.tensors[0].spec.shape, Shape({3, 2}));
  EXPECT_EQ(content_of(raw.tensors[0]), "abcdef");
}

TEST(NumpyVoid, OfAnotherSizeIsRefusedUnlessBytesAreAskedFor) {
  const std::string file = array("'|V1'", "(2,)", "ab");
  const Error error = error_of([&] { load(file); });
  EXPECT_EQ(error.code(), ErrorCode::Unsupported);
  EXPECT_THAT(error.what(), HasSubstr("|V1 is raw bytes"));
  OpenOptions options;
  options.numpy_void = VoidPolicy::Bytes;
  EXPECT_EQ(read_checkpoint(source_of(file), options).tensors[0].spec.shape, Shape({2, 1}));
}

TEST(Npy, ReadsWhatMlxWrites) {
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, )}\n";
  EXPECT_EQ(load(npy_file(header, floats(6))).tensors[0].spec.shape, Shape({2, 3}));
  const std::string odd =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (10L,)}" + std::string(7, ' ') + "\n";
  EXPECT_EQ(load(npy_file(odd, floats(10))).tensors[0].spec.shape, Shape({10}));
}

}  // namespace
}  // namespace weighbridge::test
