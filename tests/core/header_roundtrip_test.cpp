// What is written is read back: random tensors of every dtype, awkward names, metadata, styles.
#include <algorithm>
#include <random>
#include <set>

#include <weighbridge/header.hpp>

#include <gtest/gtest.h>

#include "core/header_dsl.hpp"

namespace weighbridge {
namespace {

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}

  std::vector<TensorSpec> specs() {
    std::vector<TensorSpec> all;
    std::set<std::string> used = {"__metadata__"};
    for (std::uint64_t left = below(40); left > 0; --left) {
      TensorSpec spec{text(), static_cast<DType>(below(kDTypeCount)), shape()};
      if (used.insert(spec.name).second) all.push_back(std::move(spec));
    }
    return all;
  }

  std::optional<Metadata> metadata() {
    if (below(3) == 0) return std::nullopt;
    Metadata pairs;
    for (std::uint64_t left = below(6); left > 0; --left) pairs.emplace(text(), text());
    return pairs;
  }

  HeaderStyle style() { return {.alignment = 8U << below(10), .slack = below(2) * below(300)}; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::string text() {
    static constexpr std::string_view kPieces[] = {"a",
                                                   "weight",
                                                   ".",
                                                   "\"",
                                                   "\\",
                                                   "/",
                                                   std::string_view("\0", 1),
                                                   "\x01",
                                                   "\n",
                                                   "\x7F",
                                                   "\xC3\xA9",
                                                   "\xE2\x80\xA8",
                                                   "\xF0\x9F\x98\x80",
                                                   " ",
                                                   "__metadata__"};
    std::string out;
    for (std::uint64_t left = below(8); left > 0; --left) out.append(kPieces[below(std::size(kPieces))]);
    return out;
  }

  // The last dimension is a multiple of 4, so that F4 and F6 fill whole bytes.
  Shape shape() {
    Shape dims;
    for (std::uint64_t left = below(4); left > 0; --left) dims.push_back(below(5));
    dims.push_back(4 * below(4));
    return dims;
  }

  std::mt19937 random_;
};

class HeaderRoundTrip : public testing::TestWithParam<std::uint32_t> {};

TEST_P(HeaderRoundTrip, GivesBackTensorsMetadataAndLayout) {
  Generator generate(GetParam());
  const auto specs = generate.specs();
  const auto metadata = generate.metadata();
  const HeaderStyle style = generate.style();
  const SerializedHeader written = serialize_header(specs, metadata, style);
  const Header header =
      parse_header(test::bytes_of(written.bytes), written.bytes.size() + written.data_bytes);

  ASSERT_EQ(header.size(), specs.size());
  EXPECT_EQ(header.data_begin() % style.alignment, 0U);
  EXPECT_EQ(header.has_metadata(), metadata.has_value());
  EXPECT_EQ(header.metadata(), metadata.value_or(Metadata{}));
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const TensorSpec& spec = specs[written.order[i]];
    const TensorInfo tensor = header.get(spec.name);
    EXPECT_EQ(tensor.dtype, spec.dtype);
    EXPECT_EQ(Shape(tensor.shape.begin(), tensor.shape.end()), spec.shape);
    EXPECT_EQ(tensor.begin, written.data_offsets[i]);
    EXPECT_EQ(tensor.end - tensor.begin, byte_size(spec.dtype, spec.shape));
  }
}

TEST_P(HeaderRoundTrip, WritesTheSameBytesForAnyOrderOfTheTensors) {
  Generator generate(GetParam());
  auto specs = generate.specs();
  const std::string first = serialize_header(specs).bytes;
  std::mt19937 random(GetParam());
  std::shuffle(specs.begin(), specs.end(), random);
  EXPECT_EQ(serialize_header(specs).bytes, first);
}

TEST_P(HeaderRoundTrip, AnyCutOrDamagedHeaderIsReadOrRefused) {
  Generator generate(GetParam());
  std::string bytes = serialize_header(generate.specs(), generate.metadata()).bytes;
  std::mt19937 random(GetParam());
  for (int i = 0; i < 200; ++i) {
    std::string damaged = bytes.substr(0, 8 + random() % (bytes.size() - 7));
    if (damaged.size() > 8) damaged[8 + random() % (damaged.size() - 8)] = static_cast<char>(random());
    store_le<std::uint64_t>(damaged.data(), damaged.size() - 8);
    const auto parsed = test::error_of([&] { parse_header(test::bytes_of(damaged), damaged.size()); });
    const auto found = validate_header(*memory_source(Buffer::take(damaged)));
    EXPECT_EQ(parsed.has_value(), !test::codes_of(found, Severity::Error).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HeaderRoundTrip, testing::Range(0U, 60U));

TEST(HeaderRoundTripOfDtypes, EveryDtypeSurvives) {
  std::vector<TensorSpec> specs;
  for (std::size_t i = 0; i < kDTypeCount; ++i)
    specs.push_back({std::to_string(i), static_cast<DType>(i), {8}});
  const SerializedHeader written = serialize_header(specs);
  const Header header =
      parse_header(test::bytes_of(written.bytes), written.bytes.size() + written.data_bytes);
  for (const TensorSpec& spec : specs) EXPECT_EQ(header.get(spec.name).dtype, spec.dtype);
}

}  // namespace
}  // namespace weighbridge
