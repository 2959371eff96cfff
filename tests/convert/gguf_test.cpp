// To GGUF and back, byte for byte.
#include <weighbridge/convert.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/gguf_builder.hpp"
#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

using test::get_file;
using test::GgufBuilder;
using test::put_file;
using test::TempFolder;
using testing::HasSubstr;

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kQ4K = 12;
constexpr std::uint32_t kBF16 = 30;
constexpr std::uint32_t kArray = 9;

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, "nothing was thrown"};
}

/// Every type of value, tensors of unlike alignment, in an order that safetensors does not keep.
GgufBuilder model() {
  GgufBuilder file;
  file.text("general.architecture", "test");
  file.u32("general.alignment", 64);
  file.alignment = 64;
  file.number("u8", 0, 255, 1);
  file.number("i8", 1, 0x80, 1);
  file.number("u16", 2, 65535, 2);
  file.number("i16", 3, 0x8000, 2);
  file.number("i32", 5, 0x80000000, 4);
  file.number("f32", 6, 0x3DCCCCCD, 4);         // 0.1
  file.number("tiny", 6, 0x00000001, 4);        // subnormal
  file.number("zero", 6, 0x80000000, 4);        // -0
  file.number("signalling", 6, 0x7FA00001, 4);  // a NaN that a conversion would make quiet
  file.number("bool", 7, 1, 1);
  file.number("u64", 10, UINT64_MAX, 8);
  file.number("i64", 11, std::uint64_t{1} << 63, 8);
  file.number("f64", 12, 0xFFF0000000000000, 8);  // -infinity
  file.text("text", "\xFF not UTF-8");
  file.pair("texts", kArray,
            file.bytes_of(8, 4) + file.bytes_of(2, 8) + file.string_of("a\n\"") + file.string_of(""));
  file.pair("none", kArray, file.bytes_of(6, 4) + file.bytes_of(0, 8));
  file.tensor("z", {3}, kBF16, "abcdef");
  file.tensor("b", {2, 256}, kQ4K, std::string(288, 'q'));
  file.tensor("a", {}, kF32, "1234");
  file.tensor("empty", {0, 3}, kF32, "");
  return file;
}

struct Conversions {
  TempFolder folder;

  std::filesystem::path path(const std::string& name) const { return folder / name; }

  std::string to_gguf(const std::string& from, ConvertOptions options = {}) const {
    options.to = OutputFormat::Gguf;
    options.write.overwrite = true;
    convert(path(from), path("out.gguf"), options);
    return get_file(path("out.gguf"));
  }

  Error refusal(const std::string& from, const ConvertOptions& options = {}) const {
    return error_of([&] { to_gguf(from, options); });
  }

  /// A safetensors file of one tensor of zeros.
  void put_tensor(const std::string& name, const TensorSpec& spec,
                  const std::optional<Metadata>& metadata = {}) const {
    const std::string bytes(byte_size(spec.dtype, spec.shape), '\0');
    const TensorView view{.name = spec.name,
                          .dtype = spec.dtype,
                          .shape = spec.shape,
                          .bytes = std::as_bytes(std::span(bytes))};
    save_tensors({&view, 1}, path(name), metadata);
  }
};

ConvertOptions with_pairs(std::vector<std::string> pairs) {
  ConvertOptions options;
  options.gguf_values = std::move(pairs);
  return options;
}

TEST(Gguf, ComesBackFromSafetensorsByteForByte) {
  const Conversions at;
  const std::string file = model().bytes();
  put_file(at.path("in.gguf"), file);
  ConvertOptions options;
  options.sidecar = true;
  convert(at.path("in.gguf"), at.path("x.safetensors"), options);
  EXPECT_EQ(at.to_gguf("x.safetensors"), file);
  EXPECT_EQ(at.to_gguf("in.gguf"), file);
}

TEST(Gguf, OfTheOtherByteOrderBecomesLittleEndian) {
  const Conversions at;
  GgufBuilder big(true);
  big.text("general.architecture", "test");
  big.number("n", 10, 258, 8);
  big.tensor("w", {1}, kF32, "4321");
  GgufBuilder little;
  little.text("general.architecture", "test");
  little.number("n", 10, 258, 8);
  little.tensor("w", {1}, kF32, "1234");
  put_file(at.path("in.gguf"), big.bytes());
  EXPECT_EQ(at.to_gguf("in.gguf"), little.bytes());
}

TEST(Gguf, ArgumentsAreValuesOfEveryType) {
  const Conversions at;
  at.put_tensor("x.safetensors", {"w", DType::F32, {1}});
  const std::string file = at.to_gguf(
      "x.safetensors", with_pairs({"general.architecture=str:a=b:c", "n=u8:255", "m=i64:-9223372036854775808",
                                   "f=f32:0.1", "d=f64:-inf", "b=bool:true", "l=u16[]:1,2", "e=str[]:"}));
  GgufBuilder expected;
  expected.text("general.architecture", "a=b:c");
  expected.number("n", 0, 255, 1);
  expected.number("m", 11, std::uint64_t{1} << 63, 8);
  expected.number("f", 6, 0x3DCCCCCD, 4);
  expected.number("d", 12, 0xFFF0000000000000, 8);
  expected.number("b", 7, 1, 1);
  expected.pair(
      "l", kArray,
      expected.bytes_of(2, 4) + expected.bytes_of(2, 8) + expected.bytes_of(1, 2) + expected.bytes_of(2, 2));
  expected.pair("e", kArray, expected.bytes_of(8, 4) + expected.bytes_of(0, 8));
  expected.tensor("w", {1}, kF32, std::string(4, '\0'));
  EXPECT_EQ(file, expected.bytes());
}

TEST(Gguf, ArgumentsMustBeValues) {
  const Conversions at;
  at.put_tensor("x.safetensors", {"w", DType::F32, {1}});
  for (const char* argument : {"", "x", "x=", "x=u8", "x=u128:1", "x=array:1", "x=u8:256", "x=u8:-1",
                               "x=u8:", "x=u8: 1", "x=bool:1", "x=f32:one", "x=u8[]:1,", "x=u8:1,2"}) {
    EXPECT_EQ(at.refusal("x.safetensors", with_pairs({"general.architecture=str:a", argument})).code(),
              ErrorCode::InvalidArgument)
        << argument;
  }
}

TEST(Gguf, TheArchitectureMustBeKnown) {
  const Conversions at;
  at.put_tensor("x.safetensors", {"w", DType::F32, {1}});
  EXPECT_THAT(at.refusal("x.safetensors").what(), HasSubstr("--kv general.architecture=str:NAME"));
  at.put_tensor("y.safetensors", {"w", DType::F32, {1}}, Metadata{{"general.architecture", "known"}});
  EXPECT_THAT(at.to_gguf("y.safetensors"), HasSubstr("known"));
}

TEST(Gguf, WhatItCannotHoldIsRefused) {
  const Conversions at;
  const ConvertOptions options = with_pairs({"general.architecture=str:a"});
  at.put_tensor("u8", {"w", DType::U8, {1}});
  EXPECT_THAT(at.refusal("u8", options).what(), HasSubstr("GGUF has no U8; its bytes can be kept as I8"));
  at.put_tensor("name", {std::string(64, 'n'), DType::F32, {1}});
  EXPECT_THAT(at.refusal("name", options).what(), HasSubstr("a name of 64 bytes"));
  at.put_tensor("rank", {"w", DType::F32, {1, 1, 1, 1, 1}});
  EXPECT_THAT(at.refusal("rank", options).what(), HasSubstr("5 dimensions"));
}

TEST(Gguf, NotesOfBlocksMustFitTheirBytes) {
  const Conversions at;
  const ConvertOptions options = with_pairs({"general.architecture=str:a"});
  const std::vector<Metadata> notes = {
      {{"gguf.type.w", "Q4_K"}},
      {{"gguf.shape.w", "[256]"}},
      {{"gguf.type.w", "Q9_K"}, {"gguf.shape.w", "[256]"}},
      {{"gguf.type.w", "Q4_K"}, {"gguf.shape.w", "[512]"}},
      {{"gguf.type.w", "Q4_K"}, {"gguf.shape.w", "[18446744073709551615]"}},
      {{"gguf.type.w", "Q4_K"}, {"gguf.shape.w", "[18446744073709551360]"}},
      {{"gguf.type.w", "Q4_K"}, {"gguf.shape.w", "[256"}},
      {{"gguf.type.w", "Q4_K"}, {"gguf.shape.w", "[256,1]"}},
      {{"gguf.type.w", "Q4_K"}, {"gguf.shape.w", "[]"}},
  };
  for (std::size_t i = 0; i < notes.size(); ++i) {
    at.put_tensor(std::to_string(i), {"w", DType::U8, {144}}, notes[i]);
    EXPECT_EQ(at.refusal(std::to_string(i), options).code(), ErrorCode::MalformedCheckpoint) << i;
  }
}

TEST(Gguf, SidecarsAreForeign) {
  const Conversions at;
  at.put_tensor("x.safetensors", {"w", DType::F32, {1}});
  const auto refuse = [&](const std::string& pairs) {
    put_file(at.path("x.safetensors.meta.json"), R"({"version":1,"gguf":{"key_values":)" + pairs + "}}");
    EXPECT_EQ(at.refusal("x.safetensors").code(), ErrorCode::MalformedCheckpoint) << pairs;
  };
  refuse("{}");
  refuse("[1]");
  refuse(R"([{"key":1}])");
  refuse(R"([{"key":"a","type":"u8"}])");
  refuse(R"([{"key":"a","type":"u9","value":1}])");
  refuse(R"([{"key":"a","type":"u8","value":256}])");
  refuse(R"([{"key":"a","type":"u8","value":"1"}])");
  refuse(R"([{"key":"a","type":"u8","value":[1]}])");
  refuse(R"([{"key":"a","type":"u8[]","value":1}])");
  refuse(R"([{"key":"a","type":"str","value":{"$bytes":"?"}}])");
  refuse(R"([{"key":"a","type":"f32","value":{"$bits":"7ff8000000000000"}}])");
  refuse(R"([{"key":"general.architecture","type":"str","value":"a"},)"
         R"({"key":"general.alignment","type":"u32","value":3}])");
}

TEST(Gguf, MetadataWithoutAPlaceIsReported) {
  const Conversions at;
  at.put_tensor("x.safetensors", {"w", DType::F32, {1}}, Metadata{{"format", "pt"}, {"lost", "value"}});
  ConvertOptions options = with_pairs({"general.architecture=str:a"});
  options.to = OutputFormat::Gguf;
  const ConvertReport report = convert(at.path("x.safetensors"), at.path("out.gguf"), options);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].code, "MetadataNotKept");
  EXPECT_EQ(report.findings[0].subject, "lost");
}

TEST(Gguf, TensorsAreQuantizedWhereTheyCanBe) {
  const Conversions at;
  at.put_tensor("x.safetensors", {"w", DType::BF16, {2, 32}});
  at.put_tensor("y.safetensors", {"w", DType::F32, {33, 31}});
  ConvertOptions options = with_pairs({"general.architecture=str:a"});
  options.quantize = Quantize::Q8_0;
  GgufBuilder expected;
  expected.text("general.architecture", "a");
  expected.u32("general.quantization_version", 2);
  expected.tensor("w", {2, 32}, 8, std::string(68, '\0'));
  EXPECT_EQ(at.to_gguf("x.safetensors", options), expected.bytes());
  options.to = OutputFormat::Gguf;
  const ConvertReport report = convert(at.path("y.safetensors"), at.path("z.gguf"), options);
  EXPECT_EQ(report.findings.at(0).code, "NotQuantized");
}

}  // namespace
}  // namespace weighbridge
