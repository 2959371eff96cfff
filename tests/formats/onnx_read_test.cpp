#include <map>

#include <weighbridge/write.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/onnx/model.hpp"
#include "formats/onnx/read.hpp"
#include "support/onnx_builder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kF32 = 1;
constexpr std::uint64_t kU8 = 2;
constexpr std::uint64_t kI64 = 7;

std::vector<std::string> names_of(const std::string& model, const OpenOptions& options = {}) {
  std::vector<std::string> names;
  for (const TensorEntry& tensor : read_checkpoint(source_of(model), options).tensors)
    names.push_back(tensor.spec.name);
  return names;
}

Error refusal(const std::string& model, const OpenOptions& options = {}) {
  return error_of([&] { read_checkpoint(source_of(model), options); });
}

/// The error for a model with one initializer of this message.
Error refusal_of_tensor(const std::string& tensor) { return refusal(onnx_model(onnx_graph(tensor))); }

std::string content_of(const TensorEntry& tensor) {
  const ByteRuns runs = tensor_runs(tensor);
  std::string bytes(runs.total_bytes, '\0');
  read_runs(*tensor.data.source, runs, tensor.data.transform, 0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

const std::string kByte = onnx_tensor("w", kU8, 1, "a");

TEST(OnnxRead, GivesTensorsWhereTheyLieInTheFile) {
  const std::string model = onnx_model(onnx_graph(onnx_tensor("w", kU8, 3, "abc")));
  const Checkpoint checkpoint = read_checkpoint(source_of(model));
  EXPECT_EQ(checkpoint.format, "onnx");
  EXPECT_EQ(checkpoint.metadata->at("format"), "onnx");
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_EQ(checkpoint.tensors[0].data.offset, model.find("abc"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), "abc");
}

TEST(OnnxRead, PackedFloatsAreNotDecoded) {
  const std::string tensor = Proto().number(1, 2).number(2, kF32).bytes(8, "w").bytes(4, "12345678");
  const std::string model = onnx_model(onnx_graph(tensor));
  EXPECT_EQ(read_checkpoint(source_of(model)).tensors.at(0).data.offset, model.find("12345678"));
}

TEST(OnnxRead, TakesDimensionsPackedOrNot) {
  const std::string tensor =
      Proto().bytes(1, "\x02\x01").number(1, 3).number(2, kU8).bytes(8, "w").bytes(9, "abcdef");
  EXPECT_THAT(read_checkpoint(source_of(onnx_model(onnx_graph(tensor)))).tensors.at(0).spec.shape,
              ElementsAre(2, 1, 3));
}

TEST(OnnxRead, DecodedEntriesCanBeReadFromAnywhere) {
  std::string packed;
  std::string wanted;
  for (int i = 0; i < 9000; ++i) {
    packed += varint(static_cast<std::uint64_t>(i));
    wanted += static_cast<char>(i & 0xFF);
    wanted += static_cast<char>(i >> 8);
  }
  const std::string tensor = Proto().number(1, 9000).number(2, 4).bytes(8, "w").bytes(5, packed);
  const auto source = read_checkpoint(source_of(onnx_model(onnx_graph(tensor)))).tensors.at(0).data.source;
  ASSERT_EQ(source->size(), wanted.size());
  for (const std::uint64_t from : {0U, 1U, 8191U, 8192U, 8193U, 17'000U, 17'999U}) {
    std::string piece(std::min<std::uint64_t>(wanted.size() - from, 777), '\0');
    source->read_at(from, std::as_writable_bytes(std::span(piece)));
    EXPECT_EQ(piece, wanted.substr(from, piece.size())) << from;
  }
}

TEST(OnnxRead, RefusesDataThatIsNotWhatTypeAndShapeNeed) {
  EXPECT_THAT(refusal_of_tensor(onnx_tensor("w", kF32, 2, "1234567")).what(),
              HasSubstr("tensor 'w': raw_data has 7 bytes, FLOAT [2] needs 8"));
  EXPECT_THAT(
      refusal_of_tensor(Proto().number(1, 3).number(2, kI64).bytes(8, "w").bytes(7, "\x01\x02")).what(),
      HasSubstr("INT64 [3] needs 3 entries, 2 are there"));
  EXPECT_THAT(
      refusal_of_tensor(Proto().number(1, 1).number(2, kI64).bytes(8, "w").bytes(7, "\x01\x02")).what(),
      HasSubstr("INT64 [1] needs 1 entries, more are there"));
  EXPECT_THAT(
      refusal_of_tensor(Proto().number(1, 1).number(2, kF32).bytes(8, "w").bytes(4, "12345678")).what(),
      HasSubstr("FLOAT [1] needs 4 bytes, 8 are there"));
  EXPECT_THAT(refusal_of_tensor(Proto().number(1, 1).number(2, kF32).bytes(8, "w")).what(),
              HasSubstr("it has no data"));
  EXPECT_THAT(refusal_of_tensor(Proto().number(1, 1).number(2, kF32).bytes(8, "w").number(5, 1)).what(),
              HasSubstr("in another field than that of its type"));
}

TEST(OnnxRead, RefusesEntriesBeyondTheirType) {
  const auto with_entry = [](std::uint64_t type, std::uint64_t entry) {
    return std::string(Proto().number(1, 1).number(2, type).bytes(8, "w").number(5, entry));
  };
  EXPECT_THAT(refusal_of_tensor(with_entry(kU8, 256)).what(),
              HasSubstr("its entry 0 is 256, which is no UINT8"));
  EXPECT_THAT(refusal_of_tensor(with_entry(3, static_cast<std::uint64_t>(-129))).what(),
              HasSubstr("is -129, which is no INT8"));
  EXPECT_THAT(refusal_of_tensor(with_entry(10, 65536)).what(), HasSubstr("is no FLOAT16"));
  EXPECT_THAT(
      refusal_of_tensor(Proto().number(1, 1).number(2, 12).bytes(8, "w").number(11, std::uint64_t{1} << 32))
          .what(),
      HasSubstr("is no UINT32"));
}

TEST(OnnxRead, RefusesDataInSeveralPlaces) {
  const std::string two =
      Proto().number(1, 1).number(2, kF32).bytes(8, "w").bytes(9, "1234").bytes(4, "1234");
  EXPECT_THAT(refusal_of_tensor(two).what(), HasSubstr("its data is in more than one field"));
}

TEST(OnnxRead, RefusesSingularFieldsThatStandThereTwice) {
  const std::string graph = onnx_graph(kByte);
  EXPECT_THAT(refusal(Proto().number(1, 10).bytes(7, graph).bytes(7, graph)).what(),
              HasSubstr("the graph stands there twice"));
  EXPECT_THAT(refusal_of_tensor(kByte + std::string(Proto().bytes(9, "b"))).what(),
              HasSubstr("raw_data stands there twice"));
  EXPECT_THAT(refusal_of_tensor(kByte + std::string(Proto().number(2, 3))).what(),
              HasSubstr("data_type stands there twice"));
  EXPECT_THAT(refusal_of_tensor(kByte + std::string(Proto().bytes(8, "v"))).what(),
              HasSubstr("the name of a tensor stands there twice"));
}

TEST(OnnxRead, RefusesShapesThatCannotBe) {
  EXPECT_THAT(refusal_of_tensor(onnx_tensor("w", kU8, static_cast<std::uint64_t>(-1), "")).what(),
              HasSubstr("negative dimension"));
  const std::string huge = Proto().number(1, INT64_MAX).number(1, 4).number(2, kU8).bytes(8, "w");
  EXPECT_THAT(refusal_of_tensor(huge).what(), HasSubstr("2^64 or more elements"));
  const std::string large = Proto().number(1, INT64_MAX).number(2, kI64).bytes(8, "w");
  EXPECT_THAT(refusal_of_tensor(large).what(), HasSubstr("2^61 or more bytes"));
  Proto deep;
  for (int i = 0; i < 256; ++i) deep.number(1, 1);
  EXPECT_EQ(refusal_of_tensor(deep.number(2, kU8).bytes(8, "w")).code(), ErrorCode::LimitExceeded);
}

TEST(OnnxRead, RefusesTypesThatAreNone) {
  EXPECT_THAT(refusal_of_tensor(Proto().number(1, 0).bytes(8, "w")).what(), HasSubstr("it has no data_type"));
  EXPECT_EQ(refusal_of_tensor(onnx_tensor("w", 99, 0, "")).code(), ErrorCode::Unsupported);
  EXPECT_EQ(refusal_of_tensor(Proto().bytes(3, "").number(2, 1).bytes(8, "w")).code(),
            ErrorCode::Unsupported);  // segments
}

TEST(OnnxRead, NamesAreUniqueOrRefused) {
  EXPECT_EQ(refusal(onnx_model(onnx_graph(kByte, kByte))).code(), ErrorCode::NameCollision);
  EXPECT_THAT(refusal_of_tensor(onnx_tensor("", kU8, 1, "a")).what(),
              HasSubstr("an initializer without a name"));
  EXPECT_THAT(refusal_of_tensor(onnx_tensor("\xFF", kU8, 1, "a")).what(),
              HasSubstr("the name of a tensor is not UTF-8"));
}

std::string branch_node(const std::string& graph, std::string_view name) {
  return onnx_node("If", Proto().bytes(1, "then").bytes(6, graph), name);
}

TEST(OnnxRead, ALoneNumberThatWasLeftOutIsZero) {
  const std::string node = Proto().bytes(2, "k").bytes(4, "Constant").bytes(5, Proto().bytes(1, "value_int"));
  const Checkpoint checkpoint = read_checkpoint(source_of(onnx_model(Proto().bytes(1, node))));
  EXPECT_EQ(checkpoint.tensors.at(0).spec.dtype, DType::I64);
  EXPECT_EQ(content_of(checkpoint.tensors.at(0)), std::string(8, '\0'));
}

TEST(OnnxRead, NamesThatMeetBehindTheirPathsGetANumber) {
  const std::string graph = onnx_graph(kByte);
  const std::string taken = onnx_tensor("n/then/w", kU8, 1, "b");
  const std::string main =
      Proto().bytes(1, branch_node(graph, "n")).bytes(1, branch_node(graph, "n")).bytes(5, taken);
  EXPECT_THAT(names_of(onnx_model(main)), ElementsAre("n/then/w~2", "n/then/w~3", "n/then/w"));
}

std::string nested(int graphs) {
  std::string graph = onnx_graph(kByte);
  for (int i = 0; i < graphs; ++i) graph = Proto().bytes(1, branch_node(graph, "n"));
  return onnx_model(graph);
}

TEST(OnnxRead, GoesAsDeepAsParsersOfProtobufDoAndNoDeeper) {
  EXPECT_EQ(names_of(nested(32)).size(), 1U);
  EXPECT_EQ(refusal(nested(33)).code(), ErrorCode::LimitExceeded);
  EXPECT_EQ(refusal(nested(2000)).code(), ErrorCode::LimitExceeded);
}

TEST(OnnxRead, ManyScopesBelowALongNameAreBounded) {
  const std::string attribute = Proto().bytes(1, "then").bytes(6, onnx_graph(onnx_tensor("w", kU8, 0, "")));
  Proto node;
  node.bytes(3, std::string(60'000, 'n')).bytes(4, "If");
  for (int i = 0; i < 4000; ++i) node.bytes(5, attribute);
  EXPECT_EQ(refusal(onnx_model(Proto().bytes(1, std::string(node)))).code(), ErrorCode::LimitExceeded);
}

std::string function(std::string_view name, std::string_view calls) {
  return Proto().bytes(
      25, Proto().bytes(1, name).bytes(10, "own").bytes(7, Proto().bytes(4, calls).bytes(7, "own")));
}

TEST(OnnxRead, FunctionsMayCallEachOtherButNotInACircle) {
  const std::string graph = onnx_graph(kByte);
  EXPECT_EQ(names_of(onnx_model(graph, function("f", "g") + function("g", "h"))).size(), 1U);
  EXPECT_THAT(refusal(onnx_model(graph, function("f", "f"))).what(), HasSubstr("'own::f' calls itself"));
  EXPECT_THAT(refusal(onnx_model(graph, function("f", "g") + function("g", "f"))).what(),
              HasSubstr("calls itself"));
  EXPECT_THAT(refusal(onnx_model(graph, function("f", "g") + function("f", "h"))).what(),
              HasSubstr("stands there twice"));
}

TEST(OnnxRead, AKeySelectsByTheBeginningOfNames) {
  const std::string model = onnx_model(onnx_graph(
      onnx_tensor("a.w", kU8, 0, ""), onnx_tensor("a/b", kU8, 0, ""), onnx_tensor("ab", kU8, 0, "")));
  OpenOptions options;
  options.key = "a";
  EXPECT_THAT(names_of(model, options), ElementsAre("w", "b"));
  options.key = "b";
  EXPECT_EQ(refusal(model, options).code(), ErrorCode::NoTensors);
}

std::string sparse(std::string_view values, std::string_view indices, std::uint64_t size) {
  return Proto().bytes(1, values).bytes(2, indices).number(3, size);
}

std::string sparse_model(std::string_view indices, std::uint64_t size) {
  const std::string values = onnx_tensor("s", kU8, 2, "ab");
  return onnx_model(Proto().bytes(15, sparse(values, onnx_tensor("", kI64, 2, indices), size)));
}

TEST(OnnxRead, SparseIndicesAreCheckedWhenTheyAreRead) {
  const auto read_all = [](std::string_view indices, std::uint64_t size) {
    return content_of(read_checkpoint(source_of(sparse_model(indices, size))).tensors.at(0));
  };
  const std::string good = le64(1) + le64(4);
  EXPECT_EQ(read_all(good, 5), std::string("\0a\0\0b", 5));
  EXPECT_THAT(error_of([&] { read_all(good, 4); }).what(),
              HasSubstr("index 1 of its sparse values is outside"));
  EXPECT_THAT(error_of([&] { read_all(le64(4) + le64(4), 5); }).what(),
              HasSubstr("does not follow the one before"));
}

TEST(OnnxRead, SparseTensorsOutOfAllProportionAreRefused) {
  const std::string model = sparse_model(le64(1) + le64(4), std::uint64_t{1} << 40);
  EXPECT_EQ(refusal(model).code(), ErrorCode::LimitExceeded);
  OpenOptions split;
  split.sparse = SparsePolicy::Split;
  EXPECT_THAT(names_of(model, split), ElementsAre("s.values", "s.indices"));
}

TEST(OnnxDetect, IsStrictAboutWhatAModelIs) {
  const std::string graph = onnx_graph(kByte);
  EXPECT_EQ(find_format(*source_of(onnx_model(graph))), "onnx");
  EXPECT_EQ(find_format(*source_of(onnx_model(graph, Proto().number(9, 1)))),
            std::nullopt);                                                    // no field of a model
  EXPECT_EQ(find_format(*source_of(Proto().bytes(7, graph))), std::nullopt);  // no version
  EXPECT_EQ(find_format(*source_of(Proto().number(1, 10))), std::nullopt);    // no graph
  EXPECT_EQ(find_format(*source_of(onnx_model(graph) + "x")), std::nullopt);  // something behind it
  EXPECT_EQ(find_format(*source_of(Proto().number(1, 10).number(7, 10))),
            std::nullopt);  // a graph that is a number
}

TEST(OnnxDetect, SaysThatADownloadBrokeOff) {
  const std::string model = onnx_model(onnx_graph(onnx_tensor("w", kU8, 300, std::string(300, 'w'))));
  const std::string part = model.substr(0, model.size() - 1);
  EXPECT_EQ(find_format(*source_of(part)), "onnx");
  EXPECT_THAT(refusal(part).what(), HasSubstr("field 7 has"));
}

}  // namespace
}  // namespace weighbridge::test
