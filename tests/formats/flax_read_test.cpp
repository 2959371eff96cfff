#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/flax/read.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// MessagePack, as short as it goes, big-endian.

std::string be(std::uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes) & 0xFF);
  return text;
}

std::string text(std::string_view value) { return '\xD9' + be(value.size(), 1) + std::string(value); }
std::string bin(std::string_view value) { return '\xC5' + be(value.size(), 2) + std::string(value); }
std::string ext(int type, const std::string& content) {
  return '\xC8' + be(content.size(), 2) + be(static_cast<std::uint64_t>(type), 1) + content;
}
std::string list(const std::vector<std::string>& items) {
  std::string all = '\xDC' + be(items.size(), 2);
  for (const std::string& item : items) all += item;
  return all;
}
std::string map(const Pairs& pairs) {
  std::string all = '\xDE' + be(pairs.size(), 2);
  for (const auto& [key, value] : pairs) all += text(key) + value;
  return all;
}
std::string number(int value) { return std::string(1, static_cast<char>(value)); }
std::string shape(const std::vector<int>& sizes) {
  std::vector<std::string> items;
  for (const int size : sizes) items.push_back(number(size));
  return list(items);
}
std::string array(const std::vector<int>& sizes, std::string_view dtype, std::string_view bytes,
                  int type = 1) {
  return ext(type, list({shape(sizes), text(dtype), bin(bytes)}));
}

std::string refusal_of(const std::string& file) {
  return error_of([&] { flax::read(source_of(file), {}); }).what();
}

TEST(Flax, IsATreeOfArrays) {
  const std::string file =
      map({{"params", map({{"dense", map({{"kernel", array({2, 1}, "float32", floats(2))},
                                          {"bias", array({1}, "bfloat16", "ab")}})}})}});
  EXPECT_EQ(find_format(*source_of(file)), "flax");
  const Checkpoint checkpoint = load(file);
  EXPECT_EQ(checkpoint.format, "flax");
  ASSERT_THAT(names_of(checkpoint), ElementsAre("params.dense.kernel", "params.dense.bias"));
  EXPECT_EQ(checkpoint.tensors[0].spec.shape, Shape({2, 1}));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(2));
  EXPECT_EQ(checkpoint.tensors[1].spec.dtype, DType::BF16);
  EXPECT_THAT(names_of(load(file, "params.dense")), ElementsAre("kernel", "bias"));
}

TEST(Flax, KeepsWhatIsNoArrayAmongTheOtherValues) {
  const std::string file = map({{"w", array({1}, "int8", "x")},
                                {"step", number(3)},
                                {"lr", '\xCB' + be(0x3FE0000000000000, 8)},
                                {"big", '\xCF' + be(UINT64_MAX, 8)},
                                {"c", ext(2, list({number(1), number(2)}))},
                                {"s", array({}, "float32", floats(1), 3)},
                                {"none", "\xC0"},
                                {"name", text("adam")}});
  const Checkpoint checkpoint = load(file);
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
  const std::string json = checkpoint.extras->to_json({});
  for (const char* part : {R"("step":3)", R"("lr":0.5)", "0xffffffffffffffff", R"("$complex":[1.0,2.0])",
                           R"("$scalar":"<f4")", R"("none":null)", R"("name":"adam")"}) {
    EXPECT_THAT(json, HasSubstr(part));
  }
}

std::string chunked(const Pairs& chunks, const std::vector<int>& sizes) {
  Pairs numbered;
  for (const int size : sizes) numbered.emplace_back(std::to_string(numbered.size()), number(size));
  return map(
      {{"w",
        map({{"__msgpack_chunked_array__", "\xC3"}, {"shape", map(numbered)}, {"chunks", map(chunks)}})}});
}

TEST(Flax, JoinsChunksWithoutACopy) {
  const std::string file =
      chunked({{"0", array({2}, "float32", floats(2))}, {"1", array({2}, "float32", floats(2))}}, {2, 2});
  const Checkpoint checkpoint = load(file);
  ASSERT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_EQ(checkpoint.tensors[0].spec.shape, Shape({2, 2}));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(2) + floats(2));
}

TEST(Flax, RefusesChunksThatDoNotFit) {
  const auto part = [](std::string_view dtype, int count) {
    return array({count}, dtype, std::string(static_cast<std::size_t>(count), 'x'));
  };
  EXPECT_THAT(refusal_of(chunked({{"0", part("int8", 2)}, {"1", part("uint8", 2)}}, {4})),
              HasSubstr("chunks of |i1 and |u1"));
  EXPECT_THAT(refusal_of(chunked({{"0", part("int8", 2)}}, {4})), HasSubstr("needs 4 bytes, 2 are there"));
  EXPECT_THAT(refusal_of(chunked({{"1", part("int8", 2)}}, {2})), HasSubstr("part 0 of a chunked array"));
  EXPECT_THAT(refusal_of(chunked({}, {2})), HasSubstr("without chunks"));
  EXPECT_THAT(refusal_of(chunked({{"0", number(1)}}, {2})), HasSubstr("is no array"));
  EXPECT_THAT(refusal_of(map({{"w", map({{"__msgpack_chunked_array__", "\xC3"}})}})),
              HasSubstr("without its shape"));
}

TEST(Flax, RefusesArraysThatContradictThemselves) {
  const auto refusal = [](const std::string& value) { return refusal_of(map({{"w", value}})); };
  EXPECT_THAT(refusal(array({3}, "float32", floats(2))), HasSubstr("needs 12 bytes, 8 are there"));
  EXPECT_THAT(refusal(array({1}, "object", "12345678")), HasSubstr("'object' have no type"));
  EXPECT_THAT(refusal(array({1}, "int4", "1")), HasSubstr("'int4' have no type"));
  EXPECT_THAT(refusal(ext(1, list({shape({-1}), text("int8"), bin("")}))), HasSubstr("negative"));
  EXPECT_THAT(refusal(ext(1, list({shape({1}), text("int8")}))), HasSubstr("[shape, dtype, bytes]"));
  EXPECT_THAT(refusal(ext(1, list({shape({1}), text("int8"), bin("x")}) + "y")), HasSubstr("more follows"));
  EXPECT_THAT(refusal(ext(7, "x")), HasSubstr("an extension of type 7"));
}

TEST(Flax, RefusesKeysThatAreAmbiguous) {
  const std::string one = array({1}, "int8", "x");
  EXPECT_THAT(refusal_of(map({{"w", one}, {"w", one}})), HasSubstr("'w' occurs twice"));
  EXPECT_EQ(error_of([&] { load(map({{"a.b", one}, {"a", map({{"b", one}})}})); }).code(),
            ErrorCode::NameCollision);
  EXPECT_THAT(refusal_of(map({{"\xFF", one}})), HasSubstr("no UTF-8"));
  EXPECT_THAT(refusal_of("\x81\xC0\x01"), HasSubstr("key is no text"));
  EXPECT_THAT(refusal_of("\x81\x80\x01"), HasSubstr("key is a map"));
  EXPECT_THAT(refusal_of("\x81\x90\x01"), HasSubstr("key is a list"));
}

TEST(Flax, BoundsCountsLengthsAndDepth) {
  EXPECT_THAT(refusal_of("\xDF\xFF\xFF\xFF\xFF"), HasSubstr("values, 0 bytes are left"));
  EXPECT_THAT(refusal_of("\x81\xA1w\xC9\xFF\xFF\xFF\xFF\x01"), HasSubstr("bytes of content, 0 are left"));
  EXPECT_THAT(refusal_of("\x81\xA1w\xC1"), HasSubstr("0xC1 begins no value"));
  EXPECT_THAT(refusal_of("\x81\xA1w"), HasSubstr("the data ends where a value is needed"));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "\x81\xA1w";
  EXPECT_EQ(error_of([&] { flax::read(source_of(deep + '\1'), {}); }).code(), ErrorCode::LimitExceeded);
  EXPECT_FALSE(flax::looks_like_flax(*source_of(deep)));
}

TEST(Flax, BoundsTheNumberOfValues) {
  OpenOptions options;
  options.limits.pickle_nodes = 100;
  const std::string file = map({{"w", list(std::vector<std::string>(1000, number(1)))}});
  EXPECT_EQ(error_of([&] { flax::read(source_of(file), options); }).code(), ErrorCode::LimitExceeded);
}

TEST(Flax, IsNotTakenForAnythingElse) {
  for (const std::string_view other :
       {"\x80\x02}q.", "\x81\xA1w", "\x93\1\2\3", "{\"a\": 1}", "(lp0\n.", "\x81\xC3\1"}) {
    EXPECT_FALSE(flax::looks_like_flax(*source_of(std::string(other)))) << other;
  }
}

}  // namespace
}  // namespace weighbridge::test
