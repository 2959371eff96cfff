#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/keras/config.hpp"

namespace weighbridge::keras {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Findings inspect(std::string_view layers) {
  return inspect_text(fmt::format(R"({{"class_name": "Sequential", "config": {{"layers": [{}]}}}})", layers),
                      "config", {});
}

std::vector<std::string> codes(std::string_view layers) {
  std::vector<std::string> out;
  for (const Finding& finding : inspect(layers)) out.push_back(finding.code);
  return out;
}

TEST(KerasConfig, LayersOfKerasAreNothingToTell) {
  EXPECT_THAT(
      codes(
          R"({"module": "keras.layers", "class_name": "Dense", "config": {"name": "d"}, "registered_name": null},
    {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional"},
    {"class_name": "StringLookup", "config": {"vocabulary": ["a", "b"]}},
    {"class_name": "__tensor__", "config": {"value": 1}},
    {"module": "builtins", "class_name": "str", "config": "x"})"),
      IsEmpty());
}

TEST(KerasConfig, LambdasAreCode) {
  EXPECT_THAT(codes(R"({"class_name": "Lambda", "config": {"name": "l"}})"), ElementsAre("KerasLambda"));
  EXPECT_THAT(codes(R"({"class_name": "X", "config": {"fn": {"class_name": "__lambda__"}}})"),
              ElementsAre("KerasLambda"));
  EXPECT_THAT(codes(R"({"config": {"function": ["4wEA", null, null], "function_type": "lambda"}})"),
              ElementsAre("KerasLambda"));
}

TEST(KerasConfig, TheLayerIsNamed) {
  const Findings findings = inspect(R"({"class_name": "Lambda", "config": {"name": "evil\u001b[2J"}})");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front().severity, Severity::Danger);
  EXPECT_THAT(findings.front().message, HasSubstr("('evil\\x1b[2J') has a Lambda layer"));
}

TEST(KerasConfig, ModulesThatLoadersImportAreCode) {
  for (const char* layer :
       {R"({"module": "os", "class_name": "system"})",
        R"({"module": "builtins", "class_name": "function", "config": "exec"})",
        R"({"module": "subprocess", "class_name": "function", "config": "Popen"})",
        R"({"module": "keras.utils", "class_name": "get_file"})",
        R"({"module": "keras.src.utils.file_utils", "class_name": "function", "config": "get_file"})",
        R"({"module": "keras.config", "class_name": "enable_unsafe_deserialization"})",
        R"({"module": "keras.saving", "class_name": "function", "config": "load_model"})",
        R"({"class_name": "TorchModuleWrapper"})", R"({"class_name": "TFSMLayer"})"}) {
    EXPECT_THAT(codes(layer), ElementsAre("KerasCode")) << layer;
  }
}

TEST(KerasConfig, ClassesOfOthersAreToldAndNotDangerous) {
  const Findings findings = inspect(R"({"module": "mine.layers", "class_name": "L", "registered_name": "p>L"},
                                       {"module": "keras.layers", "class_name": "L", "registered_name": "p>L"},
                                       {"class_name": "p>L", "config": {}})");
  ASSERT_EQ(findings.size(), 3U);
  for (const Finding& finding : findings) {
    EXPECT_EQ(finding.code, "KerasCustomObject");
    EXPECT_EQ(finding.severity, Severity::Warning);
  }
}

TEST(KerasConfig, AVocabularyThatIsAFileIsRead) {
  EXPECT_THAT(codes(R"({"class_name": "TextVectorization", "config": {"vocabulary": "/etc/passwd"}})"),
              ElementsAre("KerasFileAccess"));
}

TEST(KerasConfig, DangerStandsFirstAndIsCountedOnlyOften) {
  std::string layers = R"({"module": "m", "class_name": "L"})";
  for (int i = 0; i < 20; ++i) layers += R"(,{"class_name": "Lambda"})";
  Limits limits;
  limits.findings = 5;
  const Findings findings = inspect_text(fmt::format("[{}]", layers), "config", limits);
  ASSERT_EQ(findings.size(), 6U);
  EXPECT_EQ(findings.front().code, "KerasLambda");
  EXPECT_EQ(findings.back().code, "KerasCustomObject");
}

TEST(KerasConfig, WhatPythonReadsAndJsonIsNotIsTold) {
  for (const char* text : {"{\"a\": NaN}", R"({"class_name": "Dense", "class_name": "Lambda"})", "", "{"}) {
    const Findings findings = inspect_text(text, "config.json", {});
    ASSERT_EQ(findings.size(), 1U) << text;
    EXPECT_EQ(findings.front().code, "KerasConfigUnreadable");
  }
}

TEST(KerasConfig, IsWhateverNamesClasses) {
  EXPECT_TRUE(names_classes(R"({"a": [{"class\u005fname": "Dense"}]})", {}));
  EXPECT_TRUE(names_classes(R"({"class_name": NaN})", {}));
  EXPECT_FALSE(names_classes(R"({"model_type": "class_name", "vocab": {"\u00e9": 1}})", {}));
  EXPECT_TRUE(names_classes("{\\u0041 is no JSON", {}));
  EXPECT_TRUE(names_classes(std::string_view("{\0\"\0c\0l\0a\0s\0s\0_\0n\0a\0m\0e\0", 24), {}));
  EXPECT_FALSE(names_classes("{ is no JSON", {}));
}

TEST(KerasConfig, SizeAndDepthAreBounded) {
  Limits limits;
  limits.header_bytes = 10;
  EXPECT_THROW(static_cast<void>(parse_config("{\"a\": 12345}", "c", limits)), Error);
  EXPECT_THROW(static_cast<void>(parse_config(std::string(10'000, '['), "c", {})), Error);
}

}  // namespace
}  // namespace weighbridge::keras
