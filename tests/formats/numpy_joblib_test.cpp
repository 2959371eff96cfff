#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/endian.hpp"
#include "support/numpy_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A wrapper of 16 bytes alignment with `padding` bytes in front of the data.
py::Value padded(const py::Numbers& shape, int padding, const std::string& data) {
  const std::string filler(static_cast<std::size_t>(padding), '\xFF');
  return py::joblib_wrapper(shape, py::dtype("f4"), "C", py::integer(16)) + static_cast<char>(padding) +
         filler + data;
}

/// A wrapper of joblib before 1.2, whose data follows at once.
py::Value unpadded(const py::Numbers& shape, const std::string& data, std::string_view order = "C") {
  return py::joblib_wrapper(shape, py::dtype("f4"), order) + data;
}

std::string refusal_of(const py::Value& value) {
  return error_of([&] { load(py::pickle(value)); }).what();
}

/// Files beside the input, in memory.
class MemoryFolder final : public InputFolder {
 public:
  explicit MemoryFolder(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  SourcePtr find(std::string_view name, Links /*links*/) const override {
    if (!is_plain_file_name(name)) throw Error(ErrorCode::MalformedCheckpoint, "not a plain name");
    const auto found = files_.find(std::string(name));
    return found == files_.end() ? nullptr : source_of(found->second);
  }

 private:
  std::map<std::string, std::string> files_;
};

Checkpoint load_beside(const py::Value& value, std::map<std::string, std::string> files) {
  OpenOptions options;
  options.key = ".";
  options.folder = std::make_shared<MemoryFolder>(std::move(files));
  return read_checkpoint(source_of(py::pickle(value)), options);
}

std::string refusal_beside(const py::Value& value, std::map<std::string, std::string> files) {
  return error_of([&] { load_beside(value, std::move(files)); }).what();
}

TEST(Joblib, ArraysFollowTheirWrappers) {
  const Checkpoint checkpoint = load(py::pickle(py::dict({{py::text("old"), unpadded({3}, floats(3))},
                                                          {py::text("new"), padded({2, 2}, 7, floats(4))},
                                                          {py::text("one"), padded({}, 16, floats(1))},
                                                          {py::text("n"), py::integer(3)}})));
  EXPECT_EQ(checkpoint.format, "joblib");
  ASSERT_THAT(names_of(checkpoint), ElementsAre("old", "new", "one"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(3));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(4));
  EXPECT_EQ(checkpoint.tensors[2].spec.shape, Shape());
  EXPECT_EQ(checkpoint.extras->count(), 1U);
}

TEST(Joblib, EmptyArraysHaveTheirPadding) {
  const Checkpoint checkpoint =
      load(py::pickle(py::list({padded({0, 3}, 5, ""), padded({1}, 1, floats(1)), unpadded({0}, "")})));
  ASSERT_THAT(names_of(checkpoint), ElementsAre("0", "1", "2"));
  EXPECT_EQ(checkpoint.tensors[0].spec.shape, Shape({0, 3}));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(1));
}

TEST(Joblib, FortranOrderIsKnown) {
  const Checkpoint checkpoint = load(py::pickle(unpadded({2, 3}, floats(6), "F")));
  EXPECT_EQ(checkpoint.tensors[0].data.strides, std::vector<std::uint64_t>({4, 8}));
}

TEST(Joblib, ArraysOfObjectsAreStreamsWithAMemoOfTheirOwn) {
  const py::Value inner =
      py::array({2}, py::dtype("O8", "|"), py::list({py::keep(py::float_array({2}, 2), 0), py::again(0)}));
  const py::Value outer = py::list({py::keep(py::text("kept"), 0),
                                    py::joblib_wrapper({2}, py::dtype("O8", "|")) + py::pickle(inner),
                                    py::again(0), unpadded({1}, floats(1))});
  const Checkpoint checkpoint = load(py::pickle(outer));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("1.0", "1.1", "3"));
  EXPECT_EQ(checkpoint.extras->list(9).back().summary, "str 'kept'");
}

TEST(Joblib, DangerInAStreamWithinIsReported) {
  const py::Value evil = py::call(py::global("os", "system"), {py::text("true")});
  const py::Value outer =
      py::list({py::joblib_wrapper({1}, py::dtype("O8", "|")) + py::pickle(py::list({evil})),
                unpadded({1}, floats(1))});
  EXPECT_THAT(codes_of(load(py::pickle(outer))), ElementsAre("DangerousGlobal"));
}

// A loader that does not know joblib would run the data.
TEST(Joblib, DangerInTheBytesOfAnArrayIsReported) {
  const std::string evil = py::call(py::global("os", "system"), {py::text("true")}) + ".";
  std::string data = evil;
  data.resize((evil.size() + 3) / 4 * 4, '.');
  const py::Value hidden = unpadded({static_cast<std::int64_t>(data.size() / 4)}, data);
  EXPECT_THAT(codes_of(load(py::pickle(py::dict({{py::text("w"), hidden}})))),
              ElementsAre("DangerousGlobal"));
}

TEST(Joblib, WrappersThatAreWrongAreRefused) {
  EXPECT_THAT(refusal_of(unpadded({9}, "")), HasSubstr("needs 36 bytes"));
  EXPECT_THAT(refusal_of(unpadded({INT64_MAX, 8}, "")), HasSubstr("2^64 or more bytes"));
  EXPECT_THAT(refusal_of(unpadded({-1}, floats(1))), HasSubstr("negative"));
  EXPECT_THAT(refusal_of(unpadded({1}, floats(1), "X")), HasSubstr("neither 'C' nor 'F'"));
  EXPECT_THAT(refusal_of(padded({1}, 255, floats(1))), HasSubstr("255 bytes of padding"));
  EXPECT_THAT(refusal_of(padded({1}, 17, floats(1))), HasSubstr("17 bytes of padding"));
  EXPECT_THAT(refusal_of(py::joblib_wrapper({1}, py::dtype("f4"), "C", py::integer(0))),
              HasSubstr("alignment"));
  EXPECT_THAT(
      refusal_of(py::build(py::object(py::global("joblib.numpy_pickle", "NumpyArrayWrapper")), py::dict({}))),
      HasSubstr("without its 'dtype'"));
  EXPECT_THAT(refusal_of(py::build(unpadded({1}, floats(1)), py::dict({}))), HasSubstr("built twice"));
}

TEST(Joblib, AnArrayWithinAFrameIsRefused) {
  const std::string body = unpadded({1}, floats(1)) + ".";
  std::string file = "\x80\x04\x95";
  char length[8];
  store_le(length, static_cast<std::uint64_t>(body.size()));
  file.append(length, 8).append(body);
  EXPECT_THAT(error_of([&] { load(file); }).what(), HasSubstr("before its frame does"));
}

TEST(Joblib, CompanionsAreFoundBesideTheFile) {
  const std::string npy = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", floats(2));
  const py::Value value = py::dict({{py::text("w"), py::joblib_companion("model.pkl_01.npy")}});
  const Checkpoint checkpoint = load_beside(value, {{"model.pkl_01.npy", npy}});
  EXPECT_EQ(checkpoint.format, "joblib");
  ASSERT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(2));
}

TEST(Joblib, CompanionsThatAreWrongAreRefused) {
  const auto companion = [](std::string_view name) {
    return py::dict({{py::text("w"), py::joblib_companion(name)}});
  };
  EXPECT_THAT(refusal_beside(companion("a.npy"), {}),
              HasSubstr("tensor 'w': its data lies in the file 'a.npy'"));
  EXPECT_THAT(refusal_beside(companion("a.npy"), {{"a.npy", "text"}}), HasSubstr("tensor 'w'"));
  for (const std::string_view name : {"../../x.npy", "/etc/passwd", "", "..", "a\\b", "a/b"}) {
    EXPECT_THAT(refusal_beside(companion(name), {}), HasSubstr("not a plain name")) << name;
  }
  EXPECT_THAT(refusal_of(companion("a.npy")), HasSubstr("is not there"));
}

/// A Z-file: the length as text, and zlib data in stored blocks.
std::string z_file(const std::string& content) {
  std::uint32_t a = 1;
  std::uint32_t b = 0;
  for (const char c : content) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto size = static_cast<std::uint16_t>(content.size());
  std::string out = fmt::format("ZF{:<19}", fmt::format("0x{:x}", size));
  out += std::string("\x78\x01\x01", 3);
  char lengths[4];
  store_le(lengths, size);
  store_le(lengths + 2, static_cast<std::uint16_t>(~size));
  char sum[4];
  store_le(sum, reverse_bytes(b << 16 | a));
  return out.append(lengths, 4).append(content).append(sum, 4);
}

TEST(Joblib, CompressedCompanionsAreBytesAlone) {
  const py::Value wrapper = py::build(
      py::object(py::global("joblib.numpy_pickle", "ZNDArrayWrapper")),
      py::dict({{py::text("filename"), py::text("a.npy.z")},
                {py::text("init_args"), py::tuple({py::global("numpy", "ndarray"), py::tuple_of({0})})},
                {py::text("state"),
                 py::tuple({py::integer(1), py::tuple_of({3}), py::dtype("f4"), py::boolean(false)})}}));
  const py::Value value = py::dict({{py::text("w"), wrapper}});
  const Checkpoint checkpoint = load_beside(value, {{"a.npy.z", z_file(floats(3))}});
  ASSERT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(3));
  EXPECT_THAT(refusal_beside(value, {{"a.npy.z", z_file(floats(2))}}),
              HasSubstr("needs 12 bytes, 8 are there"));
}

}  // namespace
}  // namespace weighbridge::test
