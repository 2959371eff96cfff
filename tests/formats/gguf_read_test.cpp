// GGUF files: what is read, and every way to lie that is refused.
#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gguf_builder.hpp"

namespace weighbridge {
namespace {

using test::GgufBuilder;
using testing::HasSubstr;

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kF16 = 1;
constexpr std::uint32_t kQ80 = 8;
constexpr std::uint32_t kI64 = 27;
constexpr std::uint32_t kArray = 9;
constexpr std::uint32_t kString = 8;

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, ""};
}

Error refusal(const GgufBuilder& file, const OpenOptions& options = {}) {
  return error_of([&] { read_checkpoint(file.source(), options); });
}

std::string content(const TensorEntry& entry) {
  const ByteRuns runs = tensor_runs(entry);
  std::string out(runs.total_bytes, '\0');
  read_runs(*entry.data.source, runs, entry.data.transform, 0, std::as_writable_bytes(std::span(out)));
  return out;
}

/// 32 integers 0 to 31 under the scale 2.
std::string q8_block(const GgufBuilder& file) {
  std::string block = file.bytes_of(0x4000, 2);
  for (char i = 0; i < 32; ++i) block.push_back(i);
  return block;
}

GgufBuilder one_block(bool big_endian) {
  GgufBuilder file(big_endian);
  file.tensor("w", {1, 32}, kQ80, q8_block(file));
  return file;
}

TEST(GgufRead, TensorsHaveTheirDimensionsTheOtherWayRound) {
  GgufBuilder file;
  file.text("general.architecture", "test");
  file.tensor("a.w", {2, 3}, kF32, std::string(24, 'x'));
  file.tensor("b", {}, kI64, "12345678");
  const Checkpoint checkpoint = read_checkpoint(file.source());
  EXPECT_EQ(checkpoint.format, "gguf");
  ASSERT_EQ(checkpoint.tensors.size(), 2U);
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"a.w", DType::F32, {2, 3}}));
  EXPECT_EQ(checkpoint.tensors[1].spec, (TensorSpec{"b", DType::I64, {}}));
  EXPECT_EQ(content(checkpoint.tensors[1]), "12345678");
  EXPECT_EQ(checkpoint.metadata->at("general.architecture"), "test");
  EXPECT_TRUE(checkpoint.findings.empty());
}

TEST(GgufRead, TheOtherByteOrderIsTurned) {
  for (const std::uint32_t version : {2U, 3U}) {
    GgufBuilder file(true);
    file.version = version;
    file.u32("general.alignment", 64);
    file.alignment = 64;
    file.tensor("half", {2}, kF16, "abcd");
    file.tensor("long", {1}, kI64, "12345678");
    const Checkpoint checkpoint = read_checkpoint(file.source());
    EXPECT_EQ(content(checkpoint.tensors[0]), "badc");
    EXPECT_EQ(content(checkpoint.tensors[1]), "87654321");
  }
}

TEST(GgufRead, BlocksStayAsTheyAre) {
  for (const bool big_endian : {false, true}) {
    const Checkpoint checkpoint = read_checkpoint(one_block(big_endian).source());
    EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::U8, {1, 34}}));
    EXPECT_EQ(content(checkpoint.tensors[0]), q8_block(GgufBuilder()));
    EXPECT_EQ(checkpoint.metadata->at("gguf.type.w"), "Q8_0");
    EXPECT_EQ(checkpoint.metadata->at("gguf.shape.w"), "[1, 32]");
  }
}

TEST(GgufRead, BlocksBecomeNumbersFromAnyByteOn) {
  OpenOptions options;
  options.dequantize = DType::F16;
  for (const bool big_endian : {false, true}) {
    const Checkpoint checkpoint = read_checkpoint(one_block(big_endian).source(), options);
    const TensorEntry& tensor = checkpoint.tensors[0];
    EXPECT_EQ(tensor.spec, (TensorSpec{"w", DType::F16, {1, 32}}));
    const std::string whole = content(tensor);
    EXPECT_EQ(whole.substr(2, 4), std::string("\x00\x40\x00\x44", 4));  // 2 and 4
    for (std::size_t from = 0; from < whole.size(); ++from) {
      std::string rest(whole.size() - from, '\0');
      tensor.data.source->read_at(from, std::as_writable_bytes(std::span(rest)));
      EXPECT_EQ(rest, whole.substr(from));
    }
    EXPECT_FALSE(checkpoint.metadata->contains("gguf.type.w"));
  }
}

TEST(GgufRead, TheQuantizedPolicyMeansF32) {
  OpenOptions options;
  options.quantized = QuantizedPolicy::Dequantize;
  EXPECT_EQ(read_checkpoint(one_block(false).source(), options).tensors[0].spec.dtype, DType::F32);
}

TEST(GgufRead, BlocksBecomeFloatingPointNumbersOnly) {
  OpenOptions options;
  options.dequantize = DType::I32;
  EXPECT_EQ(refusal(one_block(false), options).code(), ErrorCode::InvalidArgument);
}

TEST(GgufRead, TypesWithoutARuleStayAndAreReported) {
  GgufBuilder file;
  file.tensor("w", {256}, 15, std::string(292, 'q'));  // Q8_K
  OpenOptions options;
  options.dequantize = DType::F32;
  const Checkpoint checkpoint = read_checkpoint(file.source(), options);
  EXPECT_EQ(checkpoint.tensors[0].spec.dtype, DType::U8);
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].code, "NotDequantized");
}

TEST(GgufRead, BlocksThatNobodyWritesInTheOtherByteOrderAreRefused) {
  GgufBuilder file(true);
  file.tensor("w", {256}, 16, std::string(66, 'q'));  // IQ2_XXS
  EXPECT_EQ(refusal(file).code(), ErrorCode::Unsupported);
}

TEST(GgufRead, PairsAreWhatIsNoTensor) {
  GgufBuilder file;
  file.text("general.architecture", "test");
  file.number("big", 10, UINT64_MAX, 8);
  file.number("float", 6, 0x3FC00000, 4);
  file.number("nan", 6, 0x7FA00001, 4);
  file.number("negative", 1, 0xFF, 1);
  file.number("yes", 7, 1, 1);
  file.pair("list", kArray,
            file.bytes_of(kString, 4) + file.bytes_of(2, 8) + file.string_of("a") + file.string_of("\xFF"));
  const Checkpoint checkpoint = read_checkpoint(file.source());
  EXPECT_EQ(checkpoint.extras->count(), 7U);
  EXPECT_EQ(checkpoint.extras->list(1).at(0).summary, "str 'test'");
  EXPECT_EQ(checkpoint.extras->list(9).at(6).summary, "array of 2 str");
  const std::string json = checkpoint.extras->to_json({});
  EXPECT_THAT(json, HasSubstr(R"({"key":"big","type":"u64","value":{"$int":"18446744073709551615"}})"));
  EXPECT_THAT(json, HasSubstr(R"({"key":"float","type":"f32","value":1.5})"));
  EXPECT_THAT(json, HasSubstr(R"({"key":"nan","type":"f32","value":{"$bits":"7fa00001"}})"));
  EXPECT_THAT(json, HasSubstr(R"({"key":"negative","type":"i8","value":-1})"));
  EXPECT_THAT(json, HasSubstr(R"({"key":"yes","type":"bool","value":true})"));
  EXPECT_THAT(json, HasSubstr(R"({"key":"list","type":"str[]","value":["a",{"$bytes":"/w=="}]})"));
  Limits limits;
  limits.sidecar_bytes = 100;
  EXPECT_EQ(error_of([&] { std::ignore = checkpoint.extras->to_json(limits); }).code(),
            ErrorCode::LimitExceeded);
}

TEST(GgufRead, AKeyTakesAPartOfTheNames) {
  GgufBuilder file;
  file.tensor("blk.0.w", {1}, kF32, "1234");
  file.tensor("blk.1.w", {1}, kF32, "5678");
  OpenOptions options;
  options.key = "blk.1";
  const Checkpoint checkpoint = read_checkpoint(file.source(), options);
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_EQ(checkpoint.tensors[0].spec.name, "w");
  options.key = "blk.2";
  EXPECT_EQ(refusal(file, options).code(), ErrorCode::NoTensors);
}

TEST(GgufRead, BytesBehindTheTensorsAreReported) {
  GgufBuilder file;
  file.tensor("w", {1}, kF32, "1234");
  file.end = "more";
  const Checkpoint checkpoint = read_checkpoint(file.source());
  ASSERT_EQ(checkpoint.findings.size(), 1U);
  EXPECT_EQ(checkpoint.findings[0].code, "TrailingBytes");
}

TEST(GgufRead, TheLastTensorNeedsNoPadding) {
  GgufBuilder file;
  file.tensor("w", {1}, kF32, "1234");
  std::string bytes = file.bytes();
  bytes.resize(bytes.size() - 28);
  EXPECT_EQ(content(read_checkpoint(memory_source(Buffer::take(bytes))).tensors[0]), "1234");
}

// Hostile files.

TEST(GgufHostile, EveryCutIsAnError) {
  GgufBuilder file;
  file.text("general.architecture", "test");
  file.pair("list", kArray, file.bytes_of(kString, 4) + file.bytes_of(1, 8) + file.string_of("a"));
  file.tensor("w", {8}, kF32, std::string(32, 'x'));
  const std::string bytes = file.bytes();
  for (std::size_t size = 4; size < bytes.size(); ++size) {
    const Error error =
        error_of([&] { read_checkpoint(memory_source(Buffer::take(bytes.substr(0, size)))); });
    EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint) << size;
  }
}

TEST(GgufHostile, CountsMustFitTheFile) {
  GgufBuilder tensors;
  tensors.tensor_count = UINT64_MAX;
  EXPECT_THAT(refusal(tensors).what(),
              HasSubstr("18446744073709551615 tensors, which need at least 24 bytes"));
  GgufBuilder pairs;
  pairs.pair_count = std::uint64_t{1} << 60;
  EXPECT_THAT(refusal(pairs).what(), HasSubstr("need at least 13 bytes each"));
  GgufBuilder items;
  items.pair("list", kArray, items.bytes_of(10, 4) + items.bytes_of(std::uint64_t{1} << 61, 8));
  EXPECT_THAT(refusal(items).what(), HasSubstr("items of an array"));
}

TEST(GgufHostile, CountsHaveLimits) {
  GgufBuilder file;
  file.u32("a", 1);
  file.u32("b", 1);
  OpenOptions options;
  options.limits.metadata_entries = 1;
  EXPECT_EQ(refusal(file, options).code(), ErrorCode::LimitExceeded);
  GgufBuilder named;
  named.tensor("name", {1}, kF32, "1234");
  options.limits.name_bytes = 3;
  EXPECT_EQ(refusal(named, options).code(), ErrorCode::LimitExceeded);
  options.limits.tensors = 0;
  EXPECT_EQ(refusal(named, options).code(), ErrorCode::LimitExceeded);
}

TEST(GgufHostile, LengthsOfTextsMustFitTheFile) {
  GgufBuilder file;
  file.pair("text", kString, file.bytes_of(UINT64_MAX, 8));
  EXPECT_EQ(refusal(file).code(), ErrorCode::MalformedCheckpoint);
}

TEST(GgufHostile, TypesMustBeKnown) {
  GgufBuilder value;
  value.pair("x", 13, "1234");
  EXPECT_THAT(refusal(value).what(), HasSubstr("value of type 13"));
  GgufBuilder type;
  type.tensor("w", {1}, 43, "1234");
  EXPECT_THAT(refusal(type).what(), HasSubstr("type 43, which is not known"));
  GgufBuilder removed;
  removed.tensor("w", {1}, 4, "1234");
  EXPECT_THAT(refusal(removed).what(), HasSubstr("Q4_2"));
}

TEST(GgufHostile, ArraysHoldNoArrays) {
  GgufBuilder file;
  file.pair("x", kArray, file.bytes_of(kArray, 4) + file.bytes_of(1, 8));
  EXPECT_EQ(refusal(file).code(), ErrorCode::Unsupported);
}

TEST(GgufHostile, BooleansAreZeroOrOne) {
  GgufBuilder file;
  file.number("x", 7, 2, 1);
  EXPECT_THAT(refusal(file).what(), HasSubstr("the boolean 2"));
}

TEST(GgufHostile, NamesAndKeysOccurOnceAndAreUtf8) {
  GgufBuilder keys;
  keys.u32("x", 1);
  keys.u32("x", 1);
  EXPECT_EQ(refusal(keys).code(), ErrorCode::DuplicateKey);
  GgufBuilder names;
  names.tensor("w", {1}, kF32, "1234");
  names.tensor("w", {1}, kF32, "1234");
  EXPECT_EQ(refusal(names).code(), ErrorCode::DuplicateKey);
  GgufBuilder bad;
  bad.tensor("\xFF", {1}, kF32, "1234");
  EXPECT_EQ(refusal(bad).code(), ErrorCode::MalformedCheckpoint);
}

TEST(GgufHostile, AlignmentIsAPowerOfTwo) {
  for (const std::uint32_t alignment : {0U, 3U, 131072U}) {
    GgufBuilder file;
    file.u32("general.alignment", alignment);
    EXPECT_THAT(refusal(file).what(), HasSubstr("general.alignment is")) << alignment;
  }
  GgufBuilder typed;
  typed.number("general.alignment", 10, 32, 8);
  EXPECT_THAT(refusal(typed).what(), HasSubstr("no u32"));
}

TEST(GgufHostile, DimensionsAreFewAndTheirProductFits) {
  GgufBuilder many;
  many.tensor("w", {1, 1, 1, 1, 1}, kF32, "1234");
  EXPECT_THAT(refusal(many).what(), HasSubstr("5 dimensions"));
  GgufBuilder liar;
  liar.tensor("w", {}, kF32, "1234").dimensions = UINT32_MAX;
  EXPECT_THAT(refusal(liar).what(), HasSubstr("4294967295 dimensions"));
  GgufBuilder product;
  product.tensor("w", {std::uint64_t{1} << 32, std::uint64_t{1} << 32}, kF32, "");
  EXPECT_EQ(refusal(product).code(), ErrorCode::ValidationOverflow);
  GgufBuilder bytes;
  bytes.tensor("w", {std::uint64_t{1} << 61}, kF32, "");
  EXPECT_EQ(refusal(bytes).code(), ErrorCode::ValidationOverflow);
}

TEST(GgufHostile, RowsAreWholeBlocks) {
  GgufBuilder file;
  file.tensor("w", {32, 31}, kQ80, std::string(34 * 31, 'q'));
  EXPECT_THAT(refusal(file).what(), HasSubstr("blocks of Q8_0 have 32"));
  GgufBuilder scalar;
  scalar.tensor("w", {}, kQ80, std::string(34, 'q'));
  EXPECT_EQ(refusal(scalar).code(), ErrorCode::MalformedCheckpoint);
}

TEST(GgufHostile, TensorsStandOneBehindTheOther) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{16}, std::uint64_t{64}, UINT64_MAX}) {
    GgufBuilder file;
    file.tensor("a", {4}, kF32, std::string(16, 'a'));
    file.tensor("b", {4}, kF32, std::string(16, 'b')).offset = offset;
    EXPECT_THAT(refusal(file).what(), HasSubstr("behind the one before it is byte 32")) << offset;
  }
}

TEST(GgufHostile, TensorsLieInsideTheFile) {
  GgufBuilder file;
  file.tensor("a", {std::uint64_t{1} << 50}, kF32, "1234");
  EXPECT_THAT(refusal(file).what(), HasSubstr("has 4503599627370496 bytes from byte 0 of the data"));
}

TEST(GgufHostile, Version1IsNamed) {
  GgufBuilder file;
  file.version = 1;
  EXPECT_EQ(refusal(file).code(), ErrorCode::Unsupported);
  file.version = 0;
  EXPECT_EQ(refusal(file).code(), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace weighbridge
