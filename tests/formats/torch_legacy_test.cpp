#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

py::Value floats_at(std::string_view key, std::int64_t elements, const py::Value& view = py::none()) {
  return legacy_storage("FloatStorage", key, elements, view);
}

py::Value whole(const py::Value& storage, std::int64_t elements) {
  return py::tensor(storage, 0, {elements}, {1});
}

py::Value view_metadata(std::string_view key, std::int64_t offset, std::int64_t size) {
  return py::tuple({py::text(key), py::integer(offset), py::integer(size)});
}

Error refusal(const std::string& file) {
  return error_of([&] { load(file); });
}

TEST(TorchLegacy, TakesTheOrderOfStoragesFromTheList) {
  const py::Value root = py::list({whole(floats_at("1", 1), 1), whole(floats_at("2", 2), 2)});
  const Checkpoint checkpoint = load(legacy_checkpoint(root, {{"2", 2, floats(2)}, {"1", 1, "wxyz"}}));
  EXPECT_EQ(checkpoint.format, "torch-legacy");
  EXPECT_EQ(content_of(checkpoint.tensors[0]), "wxyz");
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(2));
}

TEST(TorchLegacy, RefusesAUsedKeyThatIsNotListed) {
  EXPECT_THAT(refusal(legacy_checkpoint(whole(floats_at("1", 1), 1), {})).what(),
              HasSubstr("not in the list"));
}

TEST(TorchLegacy, RefusesAKeyThatIsListedTwice) {
  const auto file =
      legacy_checkpoint(whole(floats_at("1", 1), 1), {{"1", 1, floats(1)}, {"1", 1, floats(1)}});
  EXPECT_THAT(refusal(file).what(), HasSubstr("listed twice"));
}

TEST(TorchLegacy, StepsOverAnUnusedStorageAtTheEnd) {
  const auto file = legacy_checkpoint(whole(floats_at("1", 1), 1), {{"1", 1, floats(1)}, {"9", 5, "?????"}});
  const Checkpoint checkpoint = load(file);
  EXPECT_EQ(checkpoint.tensors.size(), 1U);
  EXPECT_THAT(codes_of(checkpoint), Contains("TrailingBytes"));
}

TEST(TorchLegacy, RefusesACountThatIsNotThePickles) {
  const py::Value root = whole(floats_at("1", 2), 2);
  EXPECT_THAT(refusal(legacy_checkpoint(root, {{"1", 3, floats(3)}})).what(),
              HasSubstr("storage '1' has 3 elements, the pickle says 2"));
  EXPECT_EQ(refusal(legacy_checkpoint(root, {{"1", -1, floats(2)}})).code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchLegacy, RefusesAStorageThatTheFileEndsIn) {
  EXPECT_THAT(refusal(legacy_checkpoint(whole(floats_at("1", 2), 2), {{"1", 2, floats(1)}})).what(),
              HasSubstr("needs 8 bytes, the file has 4 left"));
}

TEST(TorchLegacy, SwapsBytesWhenTheWriterWasBigEndian) {
  const auto file = legacy_checkpoint(whole(floats_at("1", 1), 1), {{"1", 1, floats(1)}}, false);
  EXPECT_EQ(load(file).tensors[0].data.transform, Transform::Swap4);
}

TEST(TorchLegacy, ReadsViewsOfStorages) {
  const py::Value root =
      py::list({whole(floats_at("1", 6), 6), whole(floats_at("1", 6, view_metadata("v", 2, 3)), 3)});
  const Checkpoint checkpoint = load(legacy_checkpoint(root, {{"1", 6, floats(6)}}));
  EXPECT_EQ(content_of(checkpoint.tensors[1]), floats(6).substr(8, 12));
  EXPECT_EQ(checkpoint.tensors[0].data.source, checkpoint.tensors[1].data.source);
}

TEST(TorchLegacy, RefusesAViewBehindTheEndOfItsRoot) {
  const py::Value root = whole(floats_at("1", 6, view_metadata("v", 4, 3)), 3);
  EXPECT_EQ(refusal(legacy_checkpoint(root, {{"1", 6, floats(6)}})).code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchLegacy, RefusesATensorBehindTheEndOfItsView) {
  const py::Value root = whole(floats_at("1", 6, view_metadata("v", 0, 2)), 3);
  EXPECT_EQ(refusal(legacy_checkpoint(root, {{"1", 6, floats(6)}})).code(), ErrorCode::TensorOutOfBounds);
}

TEST(TorchLegacy, RefusesAViewKeyWithTwoRanges) {
  const py::Value root = py::list({whole(floats_at("1", 6, view_metadata("v", 0, 2)), 2),
                                   whole(floats_at("1", 6, view_metadata("v", 2, 2)), 2)});
  EXPECT_THAT(refusal(legacy_checkpoint(root, {{"1", 6, floats(6)}})).what(),
              HasSubstr("two different ranges"));
}

TEST(TorchLegacy, WithAComputedMagicNumberIsNoLegacyStream) {
  const std::string magic = py::pickle(py::call(py::global("builtins", "eval"), {py::text("0x1950")}));
  const Checkpoint checkpoint = load(magic + py::pickle(py::integer(1001)));
  EXPECT_EQ(checkpoint.format, "pickle");
  EXPECT_THAT(codes_of(checkpoint), Contains("DangerousGlobal"));
}

py::Value loaded_storage(const std::string& bytes) {
  return py::call(py::global("torch.storage", "_load_from_bytes"), {py::bytes(bytes)});
}

TEST(TorchRawPickle, ReadsStoragesThatAreNestedStreams) {
  const std::string nested = legacy_checkpoint(floats_at("1", 3), {{"1", 3, floats(3)}});
  const std::string file =
      py::pickle(py::dict({{py::text("w"), py::tensor(loaded_storage(nested), 1, {2}, {1})}}));
  const Checkpoint checkpoint = load(file);
  EXPECT_EQ(checkpoint.format, "pickle");
  EXPECT_EQ(content_of(checkpoint.tensors.at(0)), floats(3).substr(4));
}

TEST(TorchRawPickle, RefusesNestedBytesOfAnotherContainer) {
  const std::string zip = zip_checkpoint(py::none(), {}).bytes();
  EXPECT_THAT(refusal(py::pickle(loaded_storage(zip))).what(), HasSubstr("no legacy stream"));
}

TEST(TorchRawPickle, RefusesStreamsNestedTooDeep) {
  std::string stream = legacy_checkpoint(floats_at("1", 1), {{"1", 1, floats(1)}});
  for (int i = 0; i < 100; ++i) stream = legacy_checkpoint(loaded_storage(stream), {});
  EXPECT_EQ(refusal(py::pickle(loaded_storage(stream))).code(), ErrorCode::LimitExceeded);
}

TEST(TorchRawPickle, ReportsNestedDanger) {
  const py::Value root = py::list({floats_at("1", 1), py::global("os", "system")});
  const std::string nested = legacy_checkpoint(root, {{"1", 1, floats(1)}});
  EXPECT_EQ(refusal(py::pickle(loaded_storage(nested))).code(), ErrorCode::DangerousContent);
}

TEST(TorchRawPickle, WarnsOfTrailingBytes) {
  EXPECT_THAT(codes_of(load(py::pickle(py::none()) + "more")), Contains("TrailingBytes"));
}

}  // namespace
}  // namespace weighbridge::test
