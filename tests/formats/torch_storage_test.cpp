#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::HasSubstr;

/// A tensor of one float over a persistent id of these items.
ZipBuilder with_id(const py::Values& items) {
  return zip_checkpoint(py::tensor(py::persistent(py::tuple(items)), 0, {1}, {1}), {{"0", floats(1)}});
}

py::Values id_items(const py::Value& key, const py::Value& elements) {
  return {py::text("storage"), py::global("torch", "FloatStorage"), key, py::text("cpu"), elements};
}

Error refusal(const ZipBuilder& zip) {
  return error_of([&] { load(zip); });
}

TEST(TorchStorage, MayBeOnAnyDevice) {
  auto items = id_items(py::text("0"), py::integer(1));
  items[3] = py::text("cuda:7");
  EXPECT_EQ(load(with_id(items)).tensors.size(), 1U);
}

TEST(TorchStorage, IdOfAnotherNumberOfItemsIsRefused) {
  auto items = id_items(py::text("0"), py::integer(1));
  items.push_back(py::none());
  EXPECT_THAT(refusal(with_id(items)).what(), HasSubstr("6 items, 5 needed"));
  items.resize(4);
  EXPECT_THAT(refusal(with_id(items)).what(), HasSubstr("4 items, 5 needed"));
}

TEST(TorchStorage, KeyThatIsAPathIsRefused) {
  for (const char* key : {"../../etc/passwd", "1/../2", "a.b", ""}) {
    EXPECT_EQ(refusal(with_id(id_items(py::text(key), py::integer(1)))).code(),
              ErrorCode::MalformedCheckpoint)
        << key;
  }
}

TEST(TorchStorage, KeyThatIsNoShortTextIsRefused) {
  EXPECT_EQ(refusal(with_id(id_items(py::integer(0), py::integer(1)))).code(),
            ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(refusal(with_id(id_items(py::text(std::string(1'000'000, '1')), py::integer(1)))).code(),
            ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(refusal(with_id(id_items(py::text(std::string(65, '1')), py::integer(1)))).code(),
            ErrorCode::MalformedCheckpoint);
}

TEST(TorchStorage, ClassThatIsNoneIsRefused) {
  auto items = id_items(py::text("0"), py::integer(1));
  items[1] = py::global("builtins", "dict");
  EXPECT_THAT(refusal(with_id(items)).what(), HasSubstr("is no storage class"));
}

TEST(TorchStorage, RecordOfAnotherSizeIsRefusedBothWays) {
  const auto of_size = [](std::string content) {
    return zip_checkpoint(py::one_float(), {{"0", std::move(content)}});
  };
  EXPECT_THAT(refusal(of_size("abc")).what(), HasSubstr("the record has 3 bytes, 1 x float32 needs 4"));
  EXPECT_THAT(refusal(of_size("abcdefgh")).what(), HasSubstr("the record has 8 bytes"));
}

TEST(TorchStorage, HostileElementCountIsRefused) {
  EXPECT_EQ(refusal(with_id(id_items(py::text("0"), py::integer(-1)))).code(),
            ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(refusal(with_id(id_items(py::text("0"), py::integer(std::int64_t{1} << 62)))).code(),
            ErrorCode::MalformedCheckpoint);
}

TEST(TorchStorage, WithoutRecordIsRefused) {
  EXPECT_THAT(refusal(zip_checkpoint(py::one_float(), {{"1", floats(1)}})).what(),
              HasSubstr("archive/data/0"));
}

TEST(TorchStorage, NamedTwiceMustBeTheSame) {
  const auto both = [](const py::Value& one, const py::Value& other) {
    return zip_checkpoint(py::list({py::tensor(one, 0, {1}, {1}), py::tensor(other, 0, {1}, {1})}),
                          {{"0", floats(1)}});
  };
  const py::Value one = py::storage("FloatStorage", "0", 1);
  EXPECT_EQ(load(both(one, one)).tensors.size(), 2U);
  EXPECT_EQ(refusal(both(one, py::storage("IntStorage", "0", 1))).code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(refusal(both(one, py::storage("FloatStorage", "0", 2))).code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchStorage, StandingAloneIsATensorOfOneDimension) {
  const Checkpoint checkpoint = load(zip_checkpoint(py::storage("HalfStorage", "0", 3), {{"0", "abcdef"}}));
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"storage", DType::F16, {3}}));
}

}  // namespace
}  // namespace weighbridge::test
