// Sidecars that nobody of good will has written.
#include <weighbridge/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/restore/plan.hpp"

namespace weighbridge::restore {
namespace {

using testing::HasSubstr;

Checkpoint one_tensor(DType dtype = DType::F32) {
  Checkpoint checkpoint;
  checkpoint.format = "safetensors";
  checkpoint.source_bytes = 64;
  checkpoint.tensors.push_back({.spec = {.name = "w", .dtype = dtype, .shape = {4}},
                                .data = {.source = memory_source(Buffer::take(std::string(64, 'x')))}});
  return checkpoint;
}

/// The bytes of the first file of the archive that `tree` becomes.
std::string pickle_of(const std::string& tree, Objects objects = Objects::Refuse,
                      Findings* findings = nullptr) {
  const Checkpoint checkpoint = one_tensor();
  const std::string text = "{\"version\":1,\"tree\":" + tree + "}";
  const json::Document sidecar = parse_sidecar(memory_source(Buffer::take(text)), Limits{});
  Findings ignored;
  const FilePlan plan = plan_torch_zip({.model = checkpoint, .optimizer = nullptr, .sidecar = &sidecar},
                                       objects, Limits{}, findings == nullptr ? ignored : *findings);
  const CopyStep& content = plan.steps.at(1);
  const Buffer bytes = content.source->read(0, content.runs.total_bytes);
  const auto span = bytes.bytes();
  return {reinterpret_cast<const char*>(span.data()), span.size()};
}

Error error_of(const std::string& tree) {
  try {
    pickle_of(tree);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::IoError, ""};
}

TEST(RestoreTree, WritesPlainValuesPlainly) {
  EXPECT_EQ(pickle_of("[null,true]"),
            "\x80\x02](N\x88"
            "e.");
  EXPECT_EQ(pickle_of(R"({"a":{"$tuple":[]}})"), std::string("\x80\x02}(X\1\0\0\0aq\0(tu.", 16));
}

TEST(RestoreTree, RefusesTagsThatMakeNoSense) {
  for (const char* tree : {R"({"$nothing": 1})",
                           R"({"a": 1, "$b": 2})",
                           R"({"$tuple": 1})",
                           R"({"$dict": 1})",
                           R"({"$dict": [[1]]})",
                           R"({"$dict": [[1, 2, 3]]})",
                           R"({"$bytes": "?"})",
                           R"({"$bytes": 1})",
                           R"({"$int": "x"})",
                           R"({"$float": "1"})",
                           R"({"$class": 1})",
                           R"({"$tensor": 1})",
                           R"({"$ref": 1})",
                           R"({"$ref": "a"})",
                           R"({"$id": "a", "$list": []})",
                           R"([{"$id": 1, "$list": []}, {"$id": 1, "$list": []}])",
                           R"({"$id": 1, "$tuple": [{"$ref": 1}]})",
                           R"({"$tensor": "w", "$strides": ["a"]})",
                           R"({"$tensor": "w", "$dtype": "no\nsuch"})",
                           R"({"$tensor": "v"})",
                           R"({"$tensor": "w", "$file": "optimizer"})"}) {
    EXPECT_EQ(error_of(tree).code(), ErrorCode::MalformedCheckpoint) << tree;
  }
}

TEST(RestoreTree, LetsNoNameIntoThePickle) {
  for (const char* tree :
       {R"({"$global": "os.system"})", R"({"$class": "os.system", "$args": ["true"]})",
        R"({"$class": "collections.OrderedDict\nx", "$dict": {}})", R"({"$global": "torch.Size\n"})",
        R"({"$dtype": "float32\nc"})", R"({"$class": "torch.serialization._get_layout\nq", "$args": []})",
        R"({"$frozenset": []})", R"({"$tensor": null})"}) {
    EXPECT_EQ(error_of(tree).code(), ErrorCode::Unsupported) << tree;
    Findings findings;
    EXPECT_EQ(pickle_of(tree, Objects::Drop, &findings), "\x80\x02N.") << tree;
    ASSERT_FALSE(findings.empty());
    EXPECT_EQ(findings.front().code, "ObjectsDropped");
  }
}

TEST(RestoreTree, NamesEachObjectThatCannotComeBack) {
  const Error error = error_of(R"([{"$class": "b.B"}, {"$class": "a.A"}, {"$class": "b.B"}])");
  EXPECT_THAT(error.what(), HasSubstr("a.A, b.B"));
}

TEST(RestoreTree, AReferenceIntoWhatWasDroppedIsDroppedToo) {
  EXPECT_EQ(
      pickle_of(R"([{"$class": "a.A", "$args": [{"$id": 1, "$list": []}]}, {"$ref": 1}])", Objects::Drop),
      "\x80\x02](NNe.");
}

TEST(RestoreTree, ADeepTreeTakesNoStack) {
  const std::string deep = std::string(2000, '[') + std::string(2000, ']');
  EXPECT_EQ(pickle_of(deep).size(), 2 + 2000 + 2 * 1999 + 1);
}

TEST(RestoreTree, RefusesADtypeThatTorchDoesNotHave) {
  const Checkpoint checkpoint = one_tensor(DType::F6_E2M3);
  Findings findings;
  try {
    plan_torch_zip({.model = checkpoint}, Objects::Refuse, Limits{}, findings);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr("tensor 'w'"));
  }
}

TEST(RestoreTree, BoundsTheSidecar) {
  Limits limits;
  limits.sidecar_bytes = 10;
  EXPECT_THROW(parse_sidecar(memory_source(Buffer::take(std::string(11, ' '))), limits), Error);
  EXPECT_THROW(parse_sidecar(memory_source(Buffer::take(std::string(R"({"version":2,"tree":1})"))), {}),
               Error);
}

}  // namespace
}  // namespace weighbridge::restore
