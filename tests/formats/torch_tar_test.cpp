// The tar files of torch 0.1: pickles and plain numbers in four members.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/tar_builder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::string le64s(const py::Numbers& numbers) {
  std::string out;
  for (const std::int64_t number : numbers) out += le64(static_cast<std::uint64_t>(number));
  return out;
}

/// The four members, each of which a test may change.
struct TorchTar {
  py::Value sys_info = py::dict(
      {{py::text("protocol_version"), py::integer(1000)}, {py::text("little_endian"), py::boolean(true)}});
  std::int64_t storage_count = 0;
  std::string storages;
  py::Values views;
  std::int64_t tensor_count = 0;
  std::string tensors;
  py::Value root = py::none();
  std::string tail;  ///< Behind the views and behind the tensors.

  void add_storage(std::int64_t key, const std::string& content, std::int64_t count,
                   const char* type = "FloatStorage") {
    ++storage_count;
    storages += py::pickle(py::tuple({py::integer(key), py::text("cpu"), py::global("torch", type)}));
    storages += le64s({count}) + content;
  }

  void add_view(std::int64_t key, std::int64_t root_key, std::int64_t offset, std::int64_t size) {
    views.push_back(
        py::tuple({py::integer(key), py::integer(root_key), py::integer(offset), py::integer(size)}));
  }

  void add_tensor(std::int64_t key, std::int64_t storage, const py::Numbers& sizes,
                  const py::Numbers& strides, std::int64_t offset, const char* type = "FloatTensor") {
    ++tensor_count;
    tensors += py::pickle(py::tuple({py::integer(key), py::integer(storage), py::global("torch", type)}));
    tensors += le32(sizes.size()) + le32(0) + le64s(sizes) + le64s(strides) + le64s({offset});
  }

  [[nodiscard]] TarBuilder build() const {
    TarBuilder tar;
    tar.add("sys_info", py::pickle(sys_info));
    tar.add("storages",
            py::pickle(py::integer(storage_count)) + storages + py::pickle(py::list(views)) + tail);
    tar.add("tensors", py::pickle(py::integer(tensor_count)) + tensors + tail);
    tar.add("pickle", py::pickle(root));
    return tar;
  }
  [[nodiscard]] std::string bytes() const { return build().bytes(); }
};

py::Value by_key(std::string_view key) { return py::persistent(py::text(key)); }

/// One tensor of 2 x 3 floats.
TorchTar sound() {
  TorchTar tar;
  tar.add_storage(10, floats(6), 6);
  tar.add_tensor(20, 10, {2, 3}, {3, 1}, 0);
  tar.root = py::dict({{py::text("w"), by_key("20")}});
  return tar;
}

void expect_refused(const TorchTar& tar, const std::string& message) {
  const Error error = error_of([&] { load(tar.bytes()); });
  EXPECT_THAT(error.what(), HasSubstr(message));
  EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint) << error.what();
}

TEST(TorchTar, GivesTensorsAndStorages) {
  TorchTar tar = sound();
  tar.add_tensor(21, 10, {3}, {2}, 1);
  tar.root = py::list({by_key("20"), by_key("21"), by_key("10")});
  const Checkpoint checkpoint = load(tar.bytes());
  EXPECT_EQ(checkpoint.format, "torch-tar");
  ASSERT_EQ(checkpoint.tensors.size(), 3U);
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(6));
  EXPECT_EQ(checkpoint.tensors[1].data.strides, (std::vector<std::uint64_t>{8}));
  EXPECT_EQ(checkpoint.tensors[2].spec.shape, (Shape{6}));
  EXPECT_EQ(checkpoint.tensors[0].data.source, checkpoint.tensors[2].data.source);
}

TEST(TorchTar, GivesTiedTensorsOfOneKeyTheSameBytes) {
  TorchTar tar = sound();
  tar.root = py::list({by_key("20"), by_key("20")});
  const Checkpoint checkpoint = load(tar.bytes());
  EXPECT_EQ(checkpoint.tensors.at(0).data, checkpoint.tensors.at(1).data);
}

TEST(TorchTar, ReadsViewsOfStoragesAndViewsOfThose) {
  TorchTar tar = sound();
  tar.add_view(11, 10, 2, 4);
  tar.add_view(12, 11, 1, 2);
  tar.add_tensor(21, 12, {2}, {1}, 0);
  tar.root = py::list({by_key("21")});
  EXPECT_EQ(content_of(load(tar.bytes()).tensors.at(0)), floats(6).substr(12, 8));
}

TEST(TorchTar, SwapsBytesWhenTheWriterWasBigEndian) {
  TorchTar tar = sound();
  tar.sys_info = py::dict(
      {{py::text("protocol_version"), py::integer(1000)}, {py::text("little_endian"), py::boolean(false)}});
  EXPECT_EQ(load(tar.bytes()).tensors.at(0).data.transform, Transform::Swap4);
}

TEST(TorchTar, KeepsClassesThatAreNamedWithTheirSource) {
  TorchTar tar = sound();
  const py::Value type = py::persistent(
      py::tuple({py::global("models", "Net"), py::text("models.py"), py::text("class Net: ...")}));
  tar.root = py::dict({{py::text("w"), by_key("20")}, {py::text("type"), type}});
  EXPECT_THAT(names_of(load(tar.bytes())), ElementsAre("w"));
}

TEST(TorchTar, RefusesAViewBehindTheEndOfItsStorage) {
  TorchTar tar = sound();
  tar.add_view(11, 10, 4, 3);
  expect_refused(tar, "view '11' takes 3 elements from 4 on of storage '10', which has 6");
}

TEST(TorchTar, RefusesKeysThatAreThereTwice) {
  TorchTar storages = sound();
  storages.add_storage(10, floats(1), 1);
  expect_refused(storages, "storage '10' is there twice");
  TorchTar tensors = sound();
  tensors.add_tensor(20, 10, {1}, {1}, 0);
  expect_refused(tensors, "key '20' is there twice");
  TorchTar both = sound();
  both.add_tensor(10, 10, {1}, {1}, 0);
  expect_refused(both, "key '10' is there twice");
}

TEST(TorchTar, RefusesKeysThatAreNotThere) {
  TorchTar tensor = sound();
  tensor.add_tensor(21, 99, {1}, {1}, 0);
  expect_refused(tensor, "tensor '21' is of storage '99', which is not there");
  TorchTar view = sound();
  view.add_view(11, 99, 0, 1);
  expect_refused(view, "view '11' is of storage '99', which is not there");
  TorchTar id = sound();
  id.root = by_key("99");
  expect_refused(id, "persistent id '99' stands for no storage and no tensor");
  id.root = by_key("1/../2");
  expect_refused(id, "is no decimal number");
}

TEST(TorchTar, RefusesMembersOfAnotherLengthThanTheirEntries) {
  TorchTar longer = sound();
  longer.tail = "x";
  expect_refused(longer, "tar member 'storages': 1 bytes more than its entries");
  TorchTar missing = sound();
  missing.add_storage(11, floats(1), 1000);
  expect_refused(missing, "4000 bytes needed");
  TorchTar negative = sound();
  negative.add_storage(11, "", -1);
  expect_refused(negative, "a number of elements is -1, which is negative");
}

TEST(TorchTar, RefusesATensorOutsideItsStorage) {
  TorchTar tar = sound();
  tar.add_tensor(21, 10, {7}, {1}, 0);
  tar.root = by_key("21");
  EXPECT_EQ(error_of([&] { load(tar.bytes()); }).code(), ErrorCode::TensorOutOfBounds);
}

TEST(TorchTar, RefusesAnotherTypeThanTheStorages) {
  TorchTar tar = sound();
  tar.add_tensor(21, 10, {1}, {1}, 0, "DoubleTensor");
  expect_refused(tar, "tensor '21' is of float64, its storage of float32");
}

TEST(TorchTar, RefusesBadNumbers) {
  TorchTar rank = sound();
  ++rank.tensor_count;
  rank.tensors +=
      py::pickle(py::tuple({py::integer(21), py::integer(10), py::global("torch", "FloatTensor")}));
  rank.tensors += le32(0xFFFFFFFF) + le32(0);
  expect_refused(rank, "a tensor of -1 dimensions");
  TorchTar stride = sound();
  stride.add_tensor(21, 10, {1}, {-1}, 0);
  expect_refused(stride, "a stride is -1, which is negative");
  TorchTar count = sound();
  count.storage_count = 1'000'000'000;
  EXPECT_EQ(error_of([&] { load(count.bytes()); }).code(), ErrorCode::LimitExceeded);
}

TEST(TorchTar, Hostile61RefusesOtherMembersAndLinks) {
  TarBuilder more = sound().build();
  more.add("setup.py", "import os");
  EXPECT_THAT(error_of([&] { load(more.bytes()); }).what(), HasSubstr("'setup.py' is no member"));
  TarBuilder link = sound().build();
  link.add("storages", "").type = '2';
  EXPECT_EQ(error_of([&] { load(link.bytes()); }).code(), ErrorCode::MalformedArchive);
}

TEST(TorchTar, ReportsDangerInEveryMember) {
  TorchTar tar = sound();
  tar.sys_info = py::call(py::global("os", "system"), {py::text("true")});
  EXPECT_EQ(error_of([&] { load(tar.bytes()); }).code(), ErrorCode::DangerousContent);
}

}  // namespace
}  // namespace weighbridge::test
