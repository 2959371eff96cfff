// Checkpoints of TensorFlow: what is read, and every way to lie that is refused.
#include <map>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/tensorflow/bundle.hpp"
#include "formats/tensorflow/crc32c.hpp"
#include "formats/tensorflow/snappy.hpp"
#include "support/tensorflow_builder.hpp"

namespace weighbridge {
namespace {

using test::CheckpointBuilder;
using test::field;
using testing::HasSubstr;
using namespace std::string_literals;

constexpr std::uint64_t kFloat = 1;
constexpr std::uint64_t kString = 7;
constexpr std::uint64_t kBool = 10;
constexpr std::uint64_t kComplex128 = 18;

using Files = std::map<std::string, std::string, std::less<>>;

class MemoryFolder final : public InputFolder {
 public:
  explicit MemoryFolder(Files files) : files_(std::move(files)) {}

  SourcePtr find(std::string_view name, Links) const override {
    const auto file = files_.find(name);
    return file == files_.end() ? nullptr : memory_source(Buffer::take(file->second));
  }

 private:
  Files files_;
};

Checkpoint read(const Files& files, OpenOptions options = {}) {
  options.folder = std::make_shared<MemoryFolder>(files);
  options.input_name = "m.index";
  return read_checkpoint(options.folder->find("m.index"), options);
}

Error error_of(const auto& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, ""};
}

Error refusal(const Files& files) {
  return error_of([&] { read(files); });
}

Error refusal(const CheckpointBuilder& builder) { return refusal(builder.files("m")); }

std::string content(const TensorEntry& entry) {
  const ByteRuns runs = tensor_runs(entry);
  std::string out(runs.total_bytes, '\0');
  read_runs(*entry.data.source, runs, entry.data.transform, 0, std::as_writable_bytes(std::span(out)));
  return out;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(TensorFlow, ReadsTensorsWhereTheyLie) {
  for (const bool snappy : {false, true}) {
    CheckpointBuilder builder;
    builder.table.snappy = snappy;
    builder.tensor("b/kernel", kFloat, {2, 1}, "abcdefgh");
    builder.tensor("a", kBool, {3}, "\0\1\2"s);
    const Checkpoint checkpoint = read(builder.files("m"));
    EXPECT_EQ(checkpoint.format, "tensorflow");
    ASSERT_EQ(checkpoint.tensors.size(), 2U);
    EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"a", DType::BOOL, {3}}));
    EXPECT_EQ(content(checkpoint.tensors[0]), "\0\1\1"s);
    EXPECT_EQ(checkpoint.tensors[1].spec, (TensorSpec{"b/kernel", DType::F32, {2, 1}}));
    EXPECT_EQ(content(checkpoint.tensors[1]), "abcdefgh");
    EXPECT_TRUE(checkpoint.findings.empty());
  }
}

TEST(TensorFlow, TurnsTheOtherByteOrder) {
  CheckpointBuilder builder;
  builder.header += field(2, 1);
  builder.tensor("w", kFloat, {1}, "abcd");
  EXPECT_EQ(content(read(builder.files("m")).tensors[0]), "dcba");
}

TEST(TensorFlow, NamesWhatNoTensorHolds) {
  CheckpointBuilder builder;
  builder.tensor("s", kString, {}, "\1....x");
  builder.tensor("w", kFloat, {}, "abcd");
  const Checkpoint strings = read(builder.files("m"));
  EXPECT_EQ(strings.tensors.size(), 1U);
  EXPECT_EQ(strings.findings.at(0).code, "EntriesNotTaken");
  EXPECT_EQ(strings.findings.at(0).severity, Severity::Info);
  builder.tensor("z", kComplex128, {}, std::string(16, 'z'));
  const Checkpoint numbers = read(builder.files("m"));
  EXPECT_EQ(numbers.findings.at(0).severity, Severity::Warning);
  EXPECT_THAT(numbers.findings.at(0).message, HasSubstr("2 entries"));
  EXPECT_THAT(numbers.findings.at(0).message, HasSubstr("'z', DT_COMPLEX128"));
}

std::string extent(std::uint64_t start, std::uint64_t length) {
  return field(1, field(1, start) + field(2, length));
}

TEST(TensorFlow, PutsVariablesTogether) {
  CheckpointBuilder builder;
  builder.whole("w", kFloat, {3, 1}, {extent(0, 1) + field(1, ""), extent(1, 2) + field(1, "")});
  builder.tensor(tensorflow::slice_key("w", {{0, 1}, {}}), kFloat, {1, 1}, "abcd");
  builder.tensor(tensorflow::slice_key("w", {{1, 2}, {}}), kFloat, {2, 1}, "efghijkl");
  const Checkpoint checkpoint = read(builder.files("m"));
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::F32, {3, 1}}));
  EXPECT_EQ(content(checkpoint.tensors[0]), "abcdefghijkl");
}

TEST(TensorFlow, PartsMustFillTheVariable) {
  CheckpointBuilder builder;
  builder.whole("w", kFloat, {3}, {extent(0, 1), extent(1, 2)});
  builder.tensor(tensorflow::slice_key("w", {{0, 1}}), kFloat, {1}, "abcd");
  EXPECT_THAT(refusal(builder).what(), HasSubstr("lacks one of its 2 parts"));
  builder.tensor(tensorflow::slice_key("w", {{1, 2}}), kFloat, {2}, "abcd");
  EXPECT_THAT(refusal(builder).what(), HasSubstr("has 4 bytes, F32 [2] needs 8"));
  CheckpointBuilder stray;
  stray.tensor(tensorflow::slice_key("w", {{0, 1}}), kFloat, {1}, "abcd");
  EXPECT_THAT(refusal(stray).what(), HasSubstr("1 parts belong to no variable"));
  CheckpointBuilder overlapping;
  overlapping.whole("w", kFloat, {3}, {extent(0, 2), extent(1, 2)});
  overlapping.tensor(tensorflow::slice_key("w", {{0, 2}}), kFloat, {2}, "abcdefgh");
  overlapping.tensor(tensorflow::slice_key("w", {{1, 2}}), kFloat, {2}, "abcdefgh");
  EXPECT_EQ(refusal(overlapping).code(), ErrorCode::MalformedCheckpoint);
}

TEST(TensorFlow, KeysOfPartsSortAsNumbers) {
  // As TensorFlow's OrderedCode: one byte up to 63, two up to 8191; -1 is all of a dimension.
  EXPECT_EQ(tensorflow::slice_key("a", {}), "\0a\0\1\0"s);
  EXPECT_EQ(tensorflow::slice_key("\0\xFF"s, {{0, -1}}), "\0\0\xFF\xFF\0\0\1\1\1\x80\x7F"s);
  EXPECT_EQ(tensorflow::slice_key("", {{63, 64}}), "\0\0\1\1\1\xBF\xC0\x40"s);
  EXPECT_EQ(tensorflow::slice_key("", {{8192, INT64_MAX}}),
            "\0\0\1\1\1\xE0\x20\0\xFF\xC0\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
}

std::string object_graph(const std::vector<std::pair<std::string, std::string>>& names) {
  std::string graph;
  for (const auto& [key, name] : names) graph += field(1, field(2, field(2, name) + field(3, key)));
  return test::varint(graph.size()) + "crc." + graph;
}

TEST(TensorFlow, GivesVariablesTheirNames) {
  CheckpointBuilder builder;
  builder.tensor("a/.ATTRIBUTES/VARIABLE_VALUE", kFloat, {}, "abcd");
  builder.tensor("b/.ATTRIBUTES/VARIABLE_VALUE", kFloat, {}, "efgh");
  builder.tensor("c/.ATTRIBUTES/VARIABLE_VALUE", kFloat, {}, "ijkl");
  builder.tensor("_CHECKPOINTABLE_OBJECT_GRAPH", kString, {},
                 object_graph({{"a/.ATTRIBUTES/VARIABLE_VALUE", "dense/kernel"},
                               {"b/.ATTRIBUTES/VARIABLE_VALUE", "same"},
                               {"c/.ATTRIBUTES/VARIABLE_VALUE", "same"}}));
  OpenOptions options;
  options.variable_names = true;
  const Checkpoint checkpoint = read(builder.files("m"), options);
  EXPECT_EQ(content(*checkpoint.find("dense/kernel")), "abcd");
  EXPECT_NE(checkpoint.find("b/.ATTRIBUTES/VARIABLE_VALUE"), nullptr);
  EXPECT_EQ(checkpoint.findings.at(0).code, "AmbiguousNames");
  CheckpointBuilder without;
  without.tensor("a", kFloat, {}, "abcd");
  EXPECT_EQ(error_of([&] { read(without.files("m"), options); }).code(), ErrorCode::Unsupported);
}

TEST(TensorFlow, AKeyTakesAPartOfTheNames) {
  CheckpointBuilder builder;
  builder.tensor("model/w", kFloat, {}, "abcd");
  builder.tensor("optimizer/w", kFloat, {}, "efgh");
  OpenOptions options;
  options.key = "model";
  EXPECT_EQ(read(builder.files("m"), options).tensors.at(0).spec.name, "w");
  options.key = "none";
  EXPECT_EQ(error_of([&] { read(builder.files("m"), options); }).code(), ErrorCode::NoTensors);
}

// Hostile files.

TEST(TensorFlowHostile, TheBytesOfATensorHaveTheirChecksum) {
  CheckpointBuilder builder;
  builder.tensor("w", kFloat, {1}, "abcd");
  Files files = builder.files("m");
  files.at("m.data-00000-of-00001")[2] = 'X';
  const Checkpoint checkpoint = read(files);  // no byte of a tensor is looked at
  EXPECT_THAT(error_of([&] { content(checkpoint.tensors[0]); }).what(),
              HasSubstr("tensor 'w' has the CRC-32C"));
  EXPECT_EQ(error_of([&] { std::ignore = checkpoint.tensors[0].data.source->map(0, 1); }).code(),
            ErrorCode::MalformedCheckpoint);
}

TEST(TensorFlowHostile, EveryCutOfTheIndexIsAnError) {
  CheckpointBuilder builder;
  builder.tensor("w", kFloat, {1}, "abcd");
  const Files files = builder.files("m");
  const std::string& whole = files.at("m.index");
  for (std::size_t cut = 1; cut < whole.size() - 48; ++cut) {
    Files cut_files = files;
    cut_files["m.index"] = whole.substr(cut);
    EXPECT_EQ(refusal(cut_files).code(), ErrorCode::MalformedCheckpoint) << cut;
  }
}

TEST(TensorFlowHostile, BlocksHaveTheirChecksumsAndAKnownCompression) {
  CheckpointBuilder builder;
  builder.tensor("w", kFloat, {1}, "abcd");
  builder.table.crc_change = 1;
  EXPECT_THAT(refusal(builder).what(), HasSubstr("a block of the index has the CRC-32C"));
  builder.table.crc_change = 0;
  builder.table.compression = 2;
  EXPECT_THAT(refusal(builder).what(), HasSubstr("compressed by method 2"));
}

TEST(TensorFlowHostile, OffsetsOfABlockFitIt) {
  CheckpointBuilder builder;
  builder.table.offsets = "\xFF\xFF\xFF\xFF";
  EXPECT_THAT(refusal(builder).what(), HasSubstr("4294967295 offsets"));
  builder.table.offsets = "";
  EXPECT_EQ(refusal(builder).code(), ErrorCode::MalformedCheckpoint);
}

TEST(TensorFlowHostile, EntriesNeedTheirFilesAndBytes) {
  CheckpointBuilder shard;
  shard.table.entries["w"] = test::entry_message(kFloat, {1}, 1, 0, "abcd");
  EXPECT_THAT(refusal(shard).what(), HasSubstr("is in file 1 of 1"));
  CheckpointBuilder offset;
  offset.table.entries["w"] = test::entry_message(kFloat, {1}, 0, UINT64_MAX, "abcd");
  EXPECT_THAT(refusal(offset).what(), HasSubstr("has 4 bytes at byte 18446744073709551615 of 0"));
  CheckpointBuilder size;
  size.tensor("w", kFloat, {2}, "abcd");
  EXPECT_THAT(refusal(size).what(), HasSubstr("has 4 bytes, F32 [2] needs 8"));
  CheckpointBuilder missing;
  missing.tensor("w", kFloat, {1}, "abcd");
  EXPECT_THAT(refusal(Files{{"m.index", missing.files("m").at("m.index")}}).what(),
              HasSubstr("'m.data-00000-of-00001' is not beside its index"));
}

TEST(TensorFlowHostile, MessagesEndWhereTheySay) {
  for (const std::string& entry :
       {"\x08"s, "\x12\x7F"s, "\x0B"s, "\x00\x01"s, std::string(11, '\xFF'), field(1, "bytes"), field(2, 1),
        field(2, field(3, 1)), field(2, field(2, field(1, UINT64_MAX)))}) {
    CheckpointBuilder builder;
    builder.table.entries["w"] = entry;
    EXPECT_EQ(refusal(builder).code(), ErrorCode::MalformedCheckpoint) << testing::PrintToString(entry);
  }
}

TEST(TensorFlowHostile, Version1IsNamed) {
  CheckpointBuilder builder;
  builder.header = field(1, field(1, "slices"));
  EXPECT_THAT(refusal(builder).what(), HasSubstr("of version 1"));
}

TEST(TensorFlowHostile, TheIndexNeedsItsFolderAndItsName) {
  const Files files = CheckpointBuilder().files("m");
  const SourcePtr index = memory_source(Buffer::take(files.at("m.index")));
  EXPECT_EQ(error_of([&] { read_checkpoint(index); }).code(), ErrorCode::Unsupported);
}

TEST(TensorFlowHostile, LimitsHold) {
  CheckpointBuilder builder;
  builder.tensor("w", kFloat, {1}, "abcd");
  builder.tensor("wwww", kFloat, {1}, "abcd");
  OpenOptions options;
  options.limits.tensors = 1;
  EXPECT_EQ(error_of([&] { read(builder.files("m"), options); }).code(), ErrorCode::LimitExceeded);
  options.limits = {};
  options.limits.name_bytes = 3;
  EXPECT_EQ(error_of([&] { read(builder.files("m"), options); }).code(), ErrorCode::LimitExceeded);
  options.limits = {};
  options.limits.header_bytes = 8;
  EXPECT_EQ(error_of([&] { read(builder.files("m"), options); }).code(), ErrorCode::LimitExceeded);
}

// The parts.

TEST(Crc32c, HasTheValuesOfItsStandard) {
  EXPECT_EQ(tensorflow::crc32c(bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(tensorflow::crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAU);
  const std::string text = "a text of more than eight bytes, in two pieces";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    const std::uint32_t first = tensorflow::crc32c(bytes_of(text).first(cut));
    EXPECT_EQ(tensorflow::crc32c(bytes_of(text).subspan(cut), first), tensorflow::crc32c(bytes_of(text)));
  }
}

TEST(Snappy, UnpacksLiteralsAndCopies) {
  EXPECT_EQ(tensorflow::unpack_snappy("\0"s, 100), "");
  EXPECT_EQ(tensorflow::unpack_snappy("\x03\x08"
                                      "abc"s,
                                      100),
            "abc");
  EXPECT_EQ(tensorflow::unpack_snappy("\x08\x00"
                                      "a\x0D\x01"s,
                                      100),
            "aaaaaaaa");  // over itself
  EXPECT_EQ(tensorflow::unpack_snappy("\x05\x08"
                                      "abc\x06\x03\x00"s,
                                      100),
            "abcab");  // 2 bytes of distance
  EXPECT_EQ(tensorflow::unpack_snappy("\x05\x08"
                                      "abc\x07\x03\x00\x00\x00"s,
                                      100),
            "abcab");  // 4
  EXPECT_EQ(tensorflow::unpack_snappy("\x3D\xF0\x3C"s + std::string(61, 'x'), 100), std::string(61, 'x'));
}

TEST(Snappy, RefusesWhatIsDamaged) {
  for (const std::string& packed : {""s, "\xFF"s, "\x03"s,
                                    "\x03\x08"
                                    "ab"s,
                                    "\x02\x08"
                                    "abc"s,
                                    "\x04\x08"
                                    "abc"s,
                                    "\x08\x00"
                                    "a\x0D\x00"s,
                                    "\x08\x00"
                                    "a\x0D\x02"s,
                                    "\x04\x00"
                                    "a\x0D\x01"s,
                                    "\x08\x00"
                                    "a\x0D"s,
                                    "\x03\xFC\xFF\xFF\xFF\xFF"s}) {
    EXPECT_EQ(error_of([&] { std::ignore = tensorflow::unpack_snappy(packed, 100); }).code(),
              ErrorCode::MalformedCheckpoint)
        << testing::PrintToString(packed);
  }
  EXPECT_EQ(error_of([] { std::ignore = tensorflow::unpack_snappy("\x7F", 100); }).code(),
            ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace weighbridge
