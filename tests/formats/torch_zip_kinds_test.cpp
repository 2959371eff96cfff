// Zip archives of torch other than those of torch.save: packages, scripts, zips of zips.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Error refusal(const ZipBuilder& zip, const OpenOptions& options = {}) {
  return error_of([&] { read_checkpoint(zip.source(), options); });
}

Checkpoint load_with(const ZipBuilder& zip, const OpenOptions& options) {
  return read_checkpoint(zip.source(), options);
}

OpenOptions with_constants() {
  OpenOptions options;
  options.constants = true;
  return options;
}

// torch.package

/// A tensor of one float over the storage with that number.
py::Value packaged_float(std::int64_t number) {
  const py::Value storage =
      py::persistent(py::tuple({py::text("storage"), py::global("torch", "FloatStorage"), py::integer(number),
                                py::text("cpu"), py::integer(1)}));
  return py::tensor(storage, 0, {1}, {1});
}

py::Value reduced_by_package(std::string_view number) {
  return py::persistent(
      py::tuple({py::text("reduce_package"), py::global("torch.jit._script", "unpackage_script_module"),
                 py::text(number)}));
}

ZipBuilder package(const py::Value& root) {
  ZipBuilder zip;
  zip.add("p/.data/0.storage", "abcd");
  zip.add("p/res/model.pkl", py::pickle(root));
  zip.add("p/res/model.py", "raise SystemExit");
  zip.add("p/.data/extern_modules", "torch");
  zip.add("p/.data/version", "6\n");
  return zip;
}

TEST(TorchPackage, HasNumbersAsStorageKeys) {
  const Checkpoint checkpoint = load_found(package(py::dict({{py::text("w"), packaged_float(0)}})).bytes());
  EXPECT_EQ(checkpoint.format, "torch-package");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), "abcd");
}

TEST(TorchPackage, TakesEveryResourceAndSharesTheirStorages) {
  ZipBuilder zip = package(py::dict({{py::text("w"), packaged_float(0)}}));
  zip.add("p/other/ema.pkl", py::pickle(py::dict({{py::text("w"), packaged_float(0)}})));
  const Checkpoint checkpoint = load_found(zip.bytes());
  EXPECT_THAT(names_of(checkpoint), ElementsAre("res.model.w", "other.ema.w"));
  EXPECT_EQ(checkpoint.tensors[0].data, checkpoint.tensors[1].data);
  EXPECT_THAT(names_of(load(zip, "other.ema")), ElementsAre("w"));
}

TEST(TorchPackage, KeepsWhatItWouldReduceAsInertData) {
  const py::Value root =
      py::dict({{py::text("w"), packaged_float(0)}, {py::text("s"), reduced_by_package("0")}});
  EXPECT_THAT(names_of(load_found(package(root).bytes())), ElementsAre("w"));
}

TEST(TorchPackage, TakesScriptModules) {
  ZipBuilder zip = package(reduced_by_package("0"));
  const py::Value storage =
      py::persistent(py::tuple({py::text("storage"), py::global("torch", "FloatStorage"),
                                py::text("0.storage"), py::text("cpu"), py::integer(1)}));
  zip.add("p/.data/ts_code/0/data.pkl",
          py::pickle(py::dict({{py::text("w"), py::tensor(storage, 0, {1}, {1})}})));
  zip.add("p/.data/ts_code/0/constants.pkl", py::pickle(py::tuple({})));
  EXPECT_THAT(names_of(load_found(zip.bytes())), ElementsAre("ts_code.0.w"));
}

TEST(TorchPackage, RefusesKeysThatAreNoRecord) {
  EXPECT_THAT(refusal(package(packaged_float(1))).what(), HasSubstr("storage '1.storage' has no record"));
  EXPECT_THAT(refusal(package(packaged_float(-1))).what(), HasSubstr("-1, which is negative"));
}

TEST(TorchPackage, WithoutAResourceHasNoTensors) {
  ZipBuilder zip;
  zip.add("p/.data/extern_modules", "torch");
  zip.add("p/.data/version", "6\n");
  EXPECT_EQ(refusal(zip).code(), ErrorCode::NoTensors);
}

// TorchScript

ZipBuilder script(const std::string& constant_key = "0") {
  ZipBuilder zip;
  const py::Value attributes = py::dict({{py::text("w"), py::one_float()}});
  zip.add("m/data.pkl", py::pickle(py::build(py::object(py::global("__torch__", "Model")), attributes)));
  zip.add("m/data/0", "wxyz");
  const py::Value constant = py::tensor(py::storage("FloatStorage", constant_key, 1), 0, {1}, {1});
  zip.add("m/constants.pkl", py::pickle(py::tuple({py::integer(7), constant})));
  zip.add("m/constants/" + constant_key, "cons");
  zip.add("m/version", "3\n");
  return zip;
}

TEST(TorchScript, GivesItsConstantsOnRequest) {
  const Checkpoint without = load_with(script(), {});
  EXPECT_THAT(names_of(without), ElementsAre("w"));
  EXPECT_THAT(codes_of(without), Contains("ConstantsNotTaken"));
  const Checkpoint checkpoint = load_with(script(), with_constants());
  EXPECT_THAT(codes_of(checkpoint), Not(Contains("ConstantsNotTaken")));
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w", "CONSTANTS.c1"));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), "cons");
}

TEST(TorchScript, ForMobileIsNamed) {
  ZipBuilder zip = script("0.storage");
  zip.add("m/bytecode.pkl", "never read");
  const Checkpoint checkpoint = load_with(zip, with_constants());
  EXPECT_EQ(checkpoint.format, "torchscript-mobile");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w", "CONSTANTS.c1"));
}

TEST(TorchScript, ReportsDangerInItsConstants) {
  ZipBuilder zip;
  zip.add("m/data.pkl", py::pickle(py::one_float()));
  zip.add("m/data/0", "wxyz");
  zip.add("m/constants.pkl", py::pickle(py::global("os", "system")));
  EXPECT_THAT(codes_of(load_with(zip, with_constants())), Contains("DangerousGlobal"));
}

// TorchScript 1.0 to 1.2

std::string model_json(const std::string& module, const std::string& tensors) {
  return R"({"protoVersion":"2","mainModule":)" + module + R"(,"producerName":"pytorch","tensors":[)" +
         tensors + "]}";
}

std::string tensor_json(const std::string& dims, const std::string& strides,
                        const std::string& offset = "0") {
  return R"({"dims":[)" + dims + R"(],"offset":")" + offset + R"(","strides":[)" + strides +
         R"(],"requiresGrad":true,"dataType":"FLOAT","data":{"key":"tensors/0"},"device":"cpu"})";
}

const std::string kModules =
    R"({"name":"Net","optimize":true,"submodules":[{"name":"fc","parameters":[)"
    R"({"isBuffer":true,"tensorId":"1","name":"mean"},{"isBuffer":false,"tensorId":"0","name":"weight"}]}]})";

ZipBuilder old_script(const std::string& json) {
  ZipBuilder zip;
  zip.add("m/version", "1\n");
  zip.add("m/code/m.py", "op_version_set = 0");
  zip.add("m/model.json", json);
  zip.add("m/tensors/0", floats(6));
  return zip;
}

ZipBuilder sound_old_script() {
  return old_script(model_json(
      kModules, tensor_json(R"("2","2")", R"("2","1")") + "," + tensor_json(R"("2")", R"("1")", "4")));
}

TEST(OldTorchScript, NamesTensorsByTheTreeOfModules) {
  const Checkpoint checkpoint = load_found(sound_old_script().bytes());
  EXPECT_EQ(checkpoint.format, "torchscript-json");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("fc.weight", "fc.mean"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(4));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(6).substr(16));
  EXPECT_THAT(names_of(load(sound_old_script(), "fc")), ElementsAre("weight", "mean"));
  EXPECT_THAT(names_of(load(sound_old_script(), "fc.mean")), ElementsAre("tensor"));
  EXPECT_EQ(error_of([] { load(sound_old_script(), "fd"); }).code(), ErrorCode::NoTensors);
}

py::Value tensor_from_id(std::int64_t id) {
  return py::call(py::global("torch.jit._pickle", "build_tensor_from_id"), {py::integer(id)});
}

TEST(OldTorchScript, TakesAttributesThatAreTensors) {
  const std::string module =
      R"({"name":"Net","attributes":[{"type":"Tensor","name":"t","id":"1"},{"type":"int","name":"k","id":"0"}]})";
  ZipBuilder zip = old_script(model_json(module, tensor_json(R"("6")", R"("1")")));
  zip.add("m/attributes.pkl", py::pickle(py::list({py::integer(3), tensor_from_id(0)})));
  const Checkpoint checkpoint = load_found(zip.bytes());
  EXPECT_THAT(names_of(checkpoint), ElementsAre("t"));
  ASSERT_NE(checkpoint.extras, nullptr);
  EXPECT_EQ(checkpoint.extras->list(1).at(0).summary, "int 3");
}

/// A module whose attributes are the elements of a pickled list.
ZipBuilder script_of_attributes(const py::Value& list) {
  const std::string module = R"({"name":"Net","attributes":[{"name":"k","id":"0"},{"name":"t","id":"1"}]})";
  ZipBuilder zip = old_script(
      model_json(module, tensor_json(R"("4")", R"("1")") + "," + tensor_json(R"("2")", R"("1")", "4")));
  zip.add("m/attributes.pkl", py::pickle(list));
  return zip;
}

TEST(OldTorchScript, TakesTensorsInsideAttributes) {
  const py::Value tagged = py::call(py::global("torch.jit._pickle", "build_tensorlist"),
                                    {py::list({tensor_from_id(0), tensor_from_id(1)})});
  const py::Value named = py::dict({{py::text("mean"), tensor_from_id(1)}, {py::text("n"), py::integer(1)}});
  const Checkpoint checkpoint = load_found(script_of_attributes(py::list({tagged, named})).bytes());
  EXPECT_THAT(names_of(checkpoint), ElementsAre("k.0", "k.1", "t.mean"));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(6).substr(16));
  EXPECT_EQ(checkpoint.tensors[1].data, checkpoint.tensors[2].data);
  EXPECT_THAT(checkpoint.extras->to_json({}),
              HasSubstr(R"([[{"$tensor":"k.0"},{"$tensor":"k.1"}],{"mean":{"$tensor":"t.mean"},"n":1}])"));
}

TEST(OldTorchScript, RefusesAttributesThatAreNoTensorOfItsTable) {
  const auto message = [](const py::Value& value) {
    return std::string(refusal(script_of_attributes(py::list({value, py::none()}))).what());
  };
  EXPECT_THAT(message(tensor_from_id(2)), HasSubstr("an attribute is tensor 2 of 2"));
  EXPECT_THAT(message(tensor_from_id(-1)), HasSubstr("a tensor without a number"));
}

TEST(OldTorchScript, RefusesADocumentThatDoesNotHoldTogether) {
  const std::string good = tensor_json(R"("2")", R"("1")");
  const auto message = [](const std::string& json) { return std::string(refusal(old_script(json)).what()); };
  EXPECT_THAT(message(model_json(kModules, good)), HasSubstr("'fc.mean' is tensor 1 of 1"));
  EXPECT_THAT(message(model_json(kModules, tensor_json(R"("2")", ""))),
              HasSubstr("1 dimensions has 0 strides"));
  EXPECT_THAT(message(model_json(kModules, tensor_json(R"("-2")", R"("1")"))), HasSubstr("is no number"));
  EXPECT_THAT(message(model_json(kModules, R"({"dataType":"STRING"})")), HasSubstr("'STRING' is not known"));
  EXPECT_THAT(message(R"({"tensors":[]})"), HasSubstr("no main module"));
  EXPECT_EQ(refusal(old_script(model_json(kModules, good + "," + tensor_json(R"("7")", R"("1")")))).code(),
            ErrorCode::TensorOutOfBounds);
}

TEST(OldTorchScript, RefusesTextThatIsNoJson) {
  for (const char* json : {"", "{", "{]", R"({"a":})", R"({"a":1,})", "[1 2]", R"("\x")", R"("\uD800")", "01",
                           "nul", "{} {}", "\"\n\"", "\"\xFF\"", "1.", "-"}) {
    EXPECT_EQ(refusal(old_script(json)).code(), ErrorCode::MalformedCheckpoint) << json;
  }
  EXPECT_EQ(refusal(old_script(std::string(100'000, '['))).code(), ErrorCode::LimitExceeded);
}

// stable-baselines3

/// A checkpoint of one tensor of one float under that name.
std::string inner(const std::string& name, const std::string& content) {
  return zip_checkpoint(py::dict({{py::text(name), py::one_float()}}), {{"0", content}}).bytes();
}

ZipBuilder baselines(bool deflated) {
  ZipBuilder zip;
  zip.add("data", R"({"policy_class": {":serialized:": "gASV"}})");
  zip.add("pytorch_variables.pth", inner("log_ent_coef", "vars"));
  auto& policy = zip.add("policy.pth", inner("net.weight", "poli"));
  if (deflated) policy.deflated();
  zip.add("policy.optimizer.pth", inner("exp_avg", "opti"));
  zip.add("_stable_baselines3_version", "1.6.2");
  return zip;
}

TEST(StableBaselines, GivesThePolicyAndNamesTheRest) {
  for (const bool deflated : {false, true}) {
    const Checkpoint checkpoint = load_found(baselines(deflated).bytes());
    EXPECT_EQ(checkpoint.format, "stable-baselines3, torch-zip");
    EXPECT_THAT(names_of(checkpoint), ElementsAre("net.weight"));
    EXPECT_EQ(content_of(checkpoint.tensors[0]), "poli");
    EXPECT_EQ(checkpoint.root, "policy");
    EXPECT_THAT(codes_of(checkpoint), Contains("MembersNotTaken"));
    EXPECT_THAT(codes_of(checkpoint), Contains("MembersNotRead"));
  }
}

TEST(StableBaselines, GivesOneOfThemByItsKey) {
  const Checkpoint checkpoint = load(baselines(false), "policy.optimizer");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("exp_avg"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), "opti");
  EXPECT_THAT(names_of(load(baselines(false), ".")),
              ElementsAre("pytorch_variables.log_ent_coef", "policy.net.weight", "policy.optimizer.exp_avg"));
}

TEST(StableBaselines, TreatsTheOptimizerAsOthersDo) {
  OpenOptions options;
  options.optimizer = OptimizerPolicy::Separate;
  const Checkpoint separate = load_with(baselines(false), options);
  EXPECT_THAT(names_of(separate), ElementsAre("net.weight"));
  ASSERT_EQ(separate.optimizer.size(), 2U);
  EXPECT_EQ(separate.optimizer[1].spec.name, "policy.optimizer.exp_avg");
  options.optimizer = OptimizerPolicy::Inline;
  EXPECT_THAT(names_of(load_with(baselines(false), options)), Contains("policy.optimizer.exp_avg"));
}

TEST(StableBaselines, IsOneLevelOfContainers) {
  OpenOptions options;
  options.limits.archive_depth = 0;
  EXPECT_EQ(refusal(baselines(false), options).code(), ErrorCode::LimitExceeded);
}

// What is named and not read

TEST(TorchZipKinds, ThatAreNotReadAreNamed) {
  for (const char* entry : {"m/archive_format", "serialized_exported_program.json"}) {
    ZipBuilder pt2;
    pt2.add(entry, "pt2");
    EXPECT_STREQ(refusal(pt2).what(), "not yet supported: PT2 export archives");
  }
  ZipBuilder headless;
  headless.add("m/constants.pkl", py::pickle(py::tuple({})));
  EXPECT_THAT(refusal(headless).what(), HasSubstr("without data.pkl"));
  const Error error = error_of([] { read_checkpoint(source_of("PYTORCH1........")); });
  EXPECT_EQ(error.code(), ErrorCode::Unsupported);
  EXPECT_THAT(error.what(), HasSubstr("PyTorch 1.0 release candidates"));
}

}  // namespace
}  // namespace weighbridge::test
