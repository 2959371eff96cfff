#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/special_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpenOptions dequantize() {
  OpenOptions options;
  options.quantized = QuantizedPolicy::Dequantize;
  return options;
}

py::Value quantized(const py::Value& storage, const py::Numbers& sizes, const py::Numbers& strides,
                    const py::Values& parameters, std::int64_t offset = 0) {
  return py::utils("_rebuild_qtensor",
                   {storage, py::integer(offset), py::tuple_of(sizes), py::tuple_of(strides),
                    py::tuple(parameters), py::boolean(false), py::dict({})});
}

py::Values per_tensor(double scale, std::int64_t zero) {
  return {py::global("torch", "per_tensor_affine"), py::real(scale), py::integer(zero)};
}

py::Values per_channel(const py::Value& scales, const py::Value& zeros, std::int64_t axis) {
  return {py::global("torch", "per_channel_affine"), scales, zeros, py::integer(axis)};
}

/// Integers 0 to 3 in a row.
SpecialFile row(const py::Values& parameters) {
  SpecialFile file;
  file.add("w",
           quantized(file.storage("QUInt8Storage", std::string("\0\1\2\3", 4), 4), {4}, {1}, parameters));
  return file;
}

/// Two rows of two, channels along `axis`.
SpecialFile channels(std::int64_t axis, const std::vector<double>& scales,
                     const std::vector<std::int64_t>& zeros) {
  SpecialFile file;
  const auto count = [](const auto& numbers) { return static_cast<std::int64_t>(numbers.size()); };
  const py::Value storage = file.storage("QInt8Storage", std::string("\1\2\3\xff", 4), 4);
  file.add("w", quantized(storage, {2, 2}, {2, 1},
                          per_channel(file.doubles(scales, {count(scales)}),
                                      file.longs(zeros, {count(zeros)}), axis)));
  return file;
}

TEST(TorchQuantized, IsSplitIntoIntegersScaleAndZeroPoint) {
  const Checkpoint checkpoint = row(per_tensor(0.5, 3)).load();
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w", "w.scale", "w.zero_point"));
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::U8, {4}}));
  EXPECT_EQ(checkpoint.tensors[1].spec, (TensorSpec{"w.scale", DType::F64, {}}));
  EXPECT_EQ(checkpoint.tensors[2].spec, (TensorSpec{"w.zero_point", DType::I64, {}}));
  EXPECT_THAT(bytes_of(checkpoint.tensors[0]), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(longs_of(checkpoint.tensors[2]), ElementsAre(3));
}

TEST(TorchQuantized, IsDequantizedOnRequest) {
  const Checkpoint checkpoint = row(per_tensor(0.5, 3)).load(dequantize());
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::F32, {4}}));
  EXPECT_THAT(floats_of(checkpoint.tensors[0]), ElementsAre(-1.5F, -1.0F, -0.5F, 0.0F));
}

TEST(TorchQuantized, HasAScaleForEachChannel) {
  const Checkpoint first = channels(0, {1, 10}, {0, 1}).load(dequantize());
  EXPECT_THAT(floats_of(first.tensors[0]), ElementsAre(1, 2, 20, -20));
  const Checkpoint second = channels(1, {1, 10}, {0, 1}).load(dequantize());
  EXPECT_THAT(floats_of(second.tensors[0]), ElementsAre(1, 10, 3, -20));
  EXPECT_EQ(tensor_of(channels(1, {1, 10}, {0, 1}).load(), "w.scale").spec.shape, (Shape{2}));
}

TEST(TorchQuantized, OldFilesHaveListsForChannels) {
  SpecialFile file;
  file.add("w", quantized(file.storage("QInt32Storage", std::string("\2\0\0\0\4\0\0\0", 8), 2), {2}, {1},
                          per_channel(py::list({py::real(0.5), py::integer(2)}),
                                      py::list({py::integer(1), py::integer(0)}), 0)));
  EXPECT_THAT(floats_of(file.load(dequantize()).tensors[0]), ElementsAre(0.5F, 8.0F));
  EXPECT_THAT(longs_of(tensor_of(file.load(), "w.zero_point")), ElementsAre(1, 0));
}

TEST(TorchQuantized, PackedIntegersStandInTheLowBitsFirst) {
  const auto file = [](std::string_view type, const std::string& content) {
    SpecialFile result;
    const py::Value ones = result.floats({1}, {1});
    const py::Value zeros = result.floats({0}, {1});
    py::Values parameters = per_channel(ones, zeros, 0);
    parameters[0] = py::global("torch", "per_channel_affine_float_qparams");
    result.add("w", quantized(result.storage(type, content, static_cast<std::int64_t>(content.size())),
                              {1, 5}, {5, 1}, parameters));
    return result;
  };
  const SpecialFile four = file("QUInt4x2Storage", "\x21\x43\x05");
  EXPECT_THAT(floats_of(four.load(dequantize()).tensors[0]), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(four.load().tensors[0].spec, (TensorSpec{"w", DType::U8, {3}}));
  EXPECT_THAT(four.load().extras->to_json({}), HasSubstr(R"("$dtype":"quint4x2","$shape":[1,5],"$axis":0)"));
  const SpecialFile two = file("QUInt2x4Storage", "\x39\x01");
  EXPECT_THAT(floats_of(two.load(dequantize()).tensors[0]), ElementsAre(1, 2, 3, 0, 1));
  EXPECT_EQ(file("QUInt4x2Storage", "\x21\x43").error().code(), ErrorCode::TensorOutOfBounds);
}

TEST(TorchQuantized, CanBeReadInAnyPieces) {
  const TensorEntry entry = row(per_tensor(0.5, 3)).load(dequantize()).tensors.front();
  const std::string whole = content_of(entry);
  for (std::size_t begin = 0; begin < whole.size(); ++begin) {
    for (std::size_t end = begin; end <= whole.size(); ++end) {
      std::string piece(end - begin, 'x');
      entry.data.source->read_at(begin, std::as_writable_bytes(std::span(piece)));
      EXPECT_EQ(piece, whole.substr(begin, end - begin));
    }
  }
}

TEST(TorchQuantized, TiedOnesAreTiedInAllTheirParts) {
  SpecialFile file;
  const py::Value tensor = quantized(file.storage("QUInt8Storage", "ab", 2), {2}, {1}, per_tensor(0.5, 3));
  file.add("a", tensor).add("b", tensor);
  EXPECT_EQ(share_tensors(file.load(), SharedPolicy::Dedupe).tensors.size(), 3U);
  EXPECT_EQ(share_tensors(file.load(dequantize()), SharedPolicy::Dedupe).tensors.size(), 1U);
}

TEST(TorchQuantized, AnAxisThatIsNoDimensionIsRefused) {
  EXPECT_THAT(channels(7, {1, 10}, {0, 1}).error().what(), HasSubstr("axis 7 of a tensor of shape [2, 2]"));
  EXPECT_EQ(channels(-1, {1, 10}, {0, 1}).error().code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchQuantized, ScalesOfAnotherNumberAreRefused) {
  EXPECT_THAT(channels(0, {1, 10, 5}, {0, 1}).error().what(), HasSubstr("3 scales and 2 zero points for 2"));
  EXPECT_EQ(channels(0, {1, 10}, {0}).error().code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchQuantized, AScaleThatIsNoNumberIsAWarning) {
  const Checkpoint checkpoint = row(per_tensor(std::nan(""), 0)).load();
  EXPECT_THAT(codes_of(checkpoint), ::testing::Contains("OddScale"));
  EXPECT_THAT(codes_of(row(per_tensor(0.5, 0)).load()), ::testing::Not(::testing::Contains("OddScale")));
}

TEST(TorchQuantized, WrongArgumentsAreRefused) {
  EXPECT_EQ(row({py::none(), py::none()}).error().code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(row({py::global("torch", "per_tensor_affine"), py::text("x"), py::integer(0)}).error().code(),
            ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(row({py::global("torch", "no_such_scheme"), py::real(1), py::integer(0)}).error().code(),
            ErrorCode::MalformedCheckpoint);
  SpecialFile file;
  file.add("w", quantized(file.storage("FloatStorage", "abcd", 1), {1}, {1}, per_tensor(1, 0)));
  EXPECT_EQ(file.error().code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchQuantized, OutsideItsStorageIsRefused) {
  SpecialFile file;
  file.add("w", quantized(file.storage("QInt8Storage", "abcd", 4), {5}, {1}, per_tensor(1, 0)));
  EXPECT_EQ(file.error().code(), ErrorCode::TensorOutOfBounds);
}

}  // namespace
}  // namespace weighbridge::test
