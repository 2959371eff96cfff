#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/header_dsl.hpp"
#include "formats/safetensors/read.hpp"

namespace weighbridge::safetensors {
namespace {

using test::entry;
using test::error_of;
using test::header_of;
using test::source_of;
using testing::ElementsAre;

SourcePtr model() {
  return source_of(header_of({R"("__metadata__":{"format":"pt"})", entry("net.b", "U8", {4}, 8, 12),
                              entry("net.a", "F32", {2}, 0, 8), entry("network", "U8", {1}, 12, 13),
                              entry("net", "U8", {1}, 13, 14)}),
                   14);
}

std::vector<std::string> names(const Checkpoint& checkpoint) {
  std::vector<std::string> all;
  for (const TensorEntry& tensor : checkpoint.tensors) all.push_back(tensor.spec.name);
  return all;
}

Checkpoint read_key(std::string key) {
  OpenOptions options;
  options.key = std::move(key);
  return read(model(), options);
}

TEST(ReadSafetensors, GivesTensorsInOrderWithTheirPlaces) {
  const SourcePtr source = model();
  const Checkpoint checkpoint = read(source, {});
  EXPECT_EQ(checkpoint.format, "safetensors");
  EXPECT_EQ(checkpoint.source_bytes, source->size());
  EXPECT_THAT(names(checkpoint), ElementsAre("net.a", "net.b", "network", "net"));
  const TensorEntry& b = checkpoint.tensors[1];
  EXPECT_EQ(b.spec, (TensorSpec{"net.b", DType::U8, {4}}));
  EXPECT_EQ(b.data.source, source);
  EXPECT_EQ(b.data.offset, source->size() - 14 + 8);
  EXPECT_TRUE(b.data.strides.empty());
  EXPECT_TRUE(checkpoint.findings.empty());
}

TEST(ReadSafetensors, KeepsMetadataAndItsAbsence) {
  EXPECT_EQ(read(model(), {}).metadata, (Metadata{{"format", "pt"}}));
  EXPECT_EQ(read(source_of("{}"), {}).metadata, std::nullopt);
  EXPECT_EQ(read(source_of(R"({"__metadata__":{}})"), {}).metadata, Metadata{});
}

TEST(ReadSafetensors, AFileWithoutTensorsIsNoError) {
  EXPECT_TRUE(read(source_of("{}"), {}).tensors.empty());
}

TEST(ReadSafetensors, AKeySelectsANameAndWhatLiesBelowIt) {
  EXPECT_THAT(names(read_key("net")), ElementsAre("a", "b", "net"));
  EXPECT_THAT(names(read_key("net.a")), ElementsAre("net.a"));
  EXPECT_THAT(names(read_key(".")), ElementsAre("net.a", "net.b", "network", "net"));
  EXPECT_EQ(read_key("net").root, "net");
}

TEST(ReadSafetensors, AKeyThatSelectsNothingIsAnError) {
  const auto error = error_of([] { read_key("ne"); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::NoTensors);
}

TEST(ReadSafetensors, CountsTensorsAgainstTheLimit) {
  OpenOptions options;
  options.limits.tensors = 3;
  const auto error = error_of([&] { static_cast<void>(read(model(), options)); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::LimitExceeded);
}

TEST(LooksLikeSafetensors, ByLengthAndBrace) {
  EXPECT_TRUE(looks_like(*model()));
  EXPECT_TRUE(looks_like(*source_of("{}")));
  EXPECT_TRUE(looks_like(*memory_source(Buffer::take(test::file_of("{}").substr(0, 9)))));  // truncated
  EXPECT_FALSE(looks_like(*source_of("[]")));
  EXPECT_FALSE(looks_like(*memory_source(Buffer::take(std::string("{}")))));
  EXPECT_FALSE(looks_like(*memory_source(Buffer::take(std::string("PK\x03\x04{{{{{{{{")))));
}

}  // namespace
}  // namespace weighbridge::safetensors
