#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/special_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kHuge = std::int64_t{1} << 40;

OpenOptions split() {
  OpenOptions options;
  options.sparse = SparsePolicy::Split;
  return options;
}

/// Values 1, 2, 3 at the given rows and columns of a 2 x 3 matrix.
SpecialFile matrix(const std::vector<std::int64_t>& rows_then_columns) {
  SpecialFile file;
  file.add("w", py::sparse_coo(file.longs(rows_then_columns, {2, 3}), file.floats({1, 2, 3}, {3}), {2, 3}));
  return file;
}

SpecialFile compressed(std::string_view layout, const std::vector<std::int64_t>& borders,
                       const std::vector<std::int64_t>& places) {
  SpecialFile file;
  file.add("w", py::sparse(layout, file.longs(borders, {static_cast<std::int64_t>(borders.size())}),
                           file.longs(places, {static_cast<std::int64_t>(places.size())}),
                           file.floats({1, 2, 3}, {3}), {2, 3}));
  return file;
}

std::vector<float> dense(const SpecialFile& file) { return floats_of(tensor_of(file.load(), "w")); }

TEST(TorchSparse, CooIsWrittenOutInFull) {
  const Checkpoint checkpoint = matrix({0, 1, 1, 2, 0, 1}).load();
  EXPECT_EQ(checkpoint.tensors.front().spec, (TensorSpec{"w", DType::F32, {2, 3}}));
  EXPECT_THAT(floats_of(checkpoint.tensors.front()), ElementsAre(0, 0, 1, 2, 3, 0));
}

TEST(TorchSparse, ValuesAtOnePlaceAreAdded) {
  EXPECT_THAT(dense(matrix({0, 0, 0, 1, 1, 1})), ElementsAre(0, 6, 0, 0, 0, 0));
}

TEST(TorchSparse, IndicesInAnyOrderGiveTheSame) {
  EXPECT_THAT(dense(matrix({1, 0, 0, 2, 2, 0})), ElementsAre(3, 0, 2, 0, 0, 1));
}

TEST(TorchSparse, ADeflatedFileGivesTheSame) {
  const SpecialFile file = matrix({1, 0, 0, 2, 2, 0});
  EXPECT_THAT(floats_of(load(file.deflated()).tensors.front()), ElementsAre(3, 0, 2, 0, 0, 1));
}

TEST(TorchSparse, DenseDimensionsAreBlocks) {
  SpecialFile file;
  file.add("w", py::sparse_coo(file.longs({2, 0}, {1, 2}), file.floats({1, 2, 3, 4}, {2, 2}), {3, 2}));
  EXPECT_THAT(dense(file), ElementsAre(3, 4, 0, 0, 1, 2));
}

TEST(TorchSparse, AScalarIsTheSumOfItsValues) {
  SpecialFile file;
  file.add("w", py::sparse_coo(file.longs({}, {0, 2}), file.floats({1, 2}, {2}), {}));
  EXPECT_THAT(dense(file), ElementsAre(3));
}

TEST(TorchSparse, TheOldFormHasNoWordOnOrder) {
  SpecialFile file;
  file.add("w", py::utils("_rebuild_sparse_tensor",
                          {py::layout("sparse_coo"),
                           py::tuple({file.longs({1}, {1, 1}), file.floats({5}, {1}), py::size({2})})}));
  EXPECT_THAT(dense(file), ElementsAre(0, 5));
}

TEST(TorchSparse, RowsAreCompressedInCsrAndColumnsInCsc) {
  EXPECT_THAT(dense(compressed("sparse_csr", {0, 2, 3}, {0, 2, 1})), ElementsAre(1, 0, 2, 0, 3, 0));
  EXPECT_THAT(dense(compressed("sparse_csc", {0, 1, 1, 3}, {1, 0, 1})), ElementsAre(0, 0, 2, 1, 0, 3));
}

TEST(TorchSparse, BlocksHaveRowsAndColumns) {
  SpecialFile file;
  const py::Value values = file.floats({1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2});
  file.add("w",
           py::sparse("sparse_bsr", file.longs({0, 1, 2}, {3}), file.longs({1, 0}, {2}), values, {4, 4}));
  EXPECT_THAT(dense(file), ElementsAre(0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8, 0, 0));
  EXPECT_THAT(floats_of(load(file.deflated()).tensors.front()),
              ElementsAre(0, 0, 1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 7, 8, 0, 0));
}

TEST(TorchSparse, BatchesFollowEachOther) {
  SpecialFile file;
  file.add("w", py::sparse("sparse_csr", file.ints({0, 1, 1, 0, 0, 1}, {2, 3}), file.ints({1, 0}, {2, 1}),
                           file.floats({1, 2}, {2, 1}), {2, 2, 2}));
  EXPECT_THAT(dense(file), ElementsAre(0, 1, 0, 0, 0, 0, 2, 0));
}

TEST(TorchSparse, CanBeReadInAnyPieces) {
  const TensorEntry entry = matrix({1, 0, 0, 2, 2, 0}).load().tensors.front();
  const std::string whole = content_of(entry);
  for (std::size_t begin = 0; begin < whole.size(); ++begin) {
    for (std::size_t end = begin; end <= whole.size(); ++end) {
      std::string piece(end - begin, 'x');
      entry.data.source->read_at(begin, std::as_writable_bytes(std::span(piece)));
      EXPECT_EQ(piece, whole.substr(begin, end - begin)) << begin << " to " << end;
    }
  }
}

TEST(TorchSparse, SplitGivesItsPartsAsTheyAre) {
  const Checkpoint coo = matrix({0, 1, 1, 2, 0, 1}).load(split());
  EXPECT_THAT(names_of(coo), ElementsAre("w.indices", "w.values"));
  EXPECT_THAT(longs_of(coo.tensors[0]), ElementsAre(0, 1, 1, 2, 0, 1));
  EXPECT_THAT(names_of(compressed("sparse_csr", {0, 2, 3}, {0, 2, 1}).load(split())),
              ElementsAre("w.crow_indices", "w.col_indices", "w.values"));
  EXPECT_THAT(names_of(compressed("sparse_csc", {0, 1, 1, 3}, {1, 0, 1}).load(split())),
              ElementsAre("w.ccol_indices", "w.row_indices", "w.values"));
}

TEST(TorchSparse, TheSidecarKeepsTheShapeOfASplitOne) {
  const Checkpoint checkpoint = matrix({0, 1, 1, 2, 0, 1}).load(split());
  EXPECT_THAT(checkpoint.extras->to_json({}),
              HasSubstr(R"({"$tensor":"w","$kind":"sparse_coo","$dtype":"float32","$shape":[2,3],)"
                        R"("$parts":["indices","values"],"$coalesced":false,"$sparse_dim":2})"));
}

TEST(TorchSparse, TiedOnesAreOneSource) {
  SpecialFile file;
  const py::Value tensor = py::sparse_coo(file.longs({1}, {1, 1}), file.floats({5}, {1}), {2});
  file.add("a", tensor).add("b", tensor);
  const Checkpoint checkpoint = file.load();
  EXPECT_EQ(checkpoint.tensors[0].data, checkpoint.tensors[1].data);
  EXPECT_EQ(share_tensors(checkpoint, SharedPolicy::Dedupe).tensors.size(), 1U);
}

TEST(TorchSparse, AnIndexOutOfRangeIsRefusedBeforeItIsUsed) {
  EXPECT_THAT(matrix({0, 2, 0, 0, 0, 0}).error().what(),
              HasSubstr("tensor 'w': index 1 is 2, 0 to 1 needed"));
  EXPECT_EQ(matrix({0, -1, 0, 0, 0, 0}).error().code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(matrix({0, 0, 0, 0, 0, 3}).error().code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(matrix({0, 0, 0, 0, 0, INT64_MIN}).error().code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchSparse, CompressedIndicesBeginAtZeroGrowAndEndAtTheNumberOfValues) {
  EXPECT_THAT(compressed("sparse_csr", {1, 2, 3}, {0, 1, 2}).error().what(),
              HasSubstr("index 0 is 1, 0 needed"));
  EXPECT_THAT(compressed("sparse_csr", {0, 2, 2}, {0, 1, 2}).error().what(),
              HasSubstr("index 2 is 2, 3 needed"));
  EXPECT_EQ(compressed("sparse_csr", {0, 4, 3}, {0, 1, 2}).error().code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(compressed("sparse_csr", {0, -1, 3}, {0, 1, 2}).error().code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(compressed("sparse_csc", {0, 2, 1, 3}, {0, 1, 1}).error().code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(compressed("sparse_csr", {0, 2, 3}, {0, 1, 3}).error().code(), ErrorCode::MalformedCheckpoint);
}

TEST(TorchSparse, PartsThatContradictEachOtherAreRefused) {
  SpecialFile file;
  const py::Value two = file.floats({1, 2}, {2});
  const auto code = [&](const py::Value& tensor) {
    SpecialFile copy = file;
    return copy.add("w", tensor).error().code();
  };
  EXPECT_EQ(code(py::sparse_coo(file.longs({0, 0, 0}, {1, 3}), two, {4})), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse_coo(file.longs({0, 0}, {2}), two, {4})), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse_coo(file.longs({0, 0}, {1, 2}), two, {4, 2})), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse_coo(file.longs({0, 0, 0, 0}, {2, 2}), two, {4})), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse_coo(file.floats({0, 0}, {1, 2}), two, {4})), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse_coo(two, py::none(), {4})), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse("sparse_csr", file.longs({0, 2}, {2}), file.longs({0, 1}, {2}), two, {4, 2})),
            ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(code(py::sparse("sparse_csr", file.longs({0}, {}), file.longs({0, 1}, {2}), two, {1, 2})),
            ErrorCode::MalformedCheckpoint);
}

TEST(TorchSparse, BlocksMustDivideTheMatrix) {
  SpecialFile file;
  const py::Value borders = file.longs({0, 1}, {2});
  const py::Value places = file.longs({0}, {1});
  const py::Value block = file.floats({1, 2, 3, 4}, {1, 2, 2});
  const py::Value nothing = file.floats({}, {1, 0, 2});
  SpecialFile odd = file;
  EXPECT_THAT(odd.add("w", py::sparse("sparse_bsr", borders, places, block, {3, 2})).error().what(),
              HasSubstr("do not divide"));
  EXPECT_EQ(file.add("w", py::sparse("sparse_bsr", borders, places, nothing, {2, 2})).error().code(),
            ErrorCode::MalformedCheckpoint);
}

TEST(TorchSparse, AResultBeyondTheBudgetIsRefusedBeforeAnythingIsRead) {
  const auto code = [](const py::Numbers& sizes) {
    SpecialFile file;
    file.add("w", py::sparse_coo(file.longs({0, 0}, {2, 1}), file.floats({1}, {1}), sizes));
    return error_of([&] { file.load(); }).code();
  };
  EXPECT_EQ(code({kHuge, kHuge}), ErrorCode::ValidationOverflow);
  EXPECT_EQ(code({kHuge, 1}), ErrorCode::LimitExceeded);
}

TEST(TorchSparse, IndicesThatRepeatAreBoundedByTheInput) {
  SpecialFile file;
  const py::Value index = file.storage("LongStorage", std::string(8, '\0'), 1);
  const py::Value value = file.storage("ByteStorage", "x", 1);
  file.add("w", py::sparse_coo(py::tensor(index, 0, {1, 100'000'000}, {0, 0}),
                               py::tensor(value, 0, {100'000'000}, {0}), {4}));
  EXPECT_EQ(error_of([&] { file.load(); }).code(), ErrorCode::LimitExceeded);
}

TEST(TorchSparse, ValuesWithoutAdditionMayNotMeet) {
  const auto file = [](std::int64_t second) {
    SpecialFile result;
    const py::Value bits = result.storage("UntypedStorage", "ab", 2);
    const py::Value values = py::utils(
        "_rebuild_tensor_v3", {bits, py::integer(0), py::tuple_of({2}), py::tuple_of({1}), py::boolean(false),
                               py::dict({}), py::global("torch", "float8_e4m3fn")});
    result.add("w", py::sparse_coo(result.longs({1, second}, {1, 2}), values, {3}));
    return result;
  };
  EXPECT_THAT(bytes_of(file(0).load().tensors.front()), ElementsAre('b', 'a', 0));
  EXPECT_EQ(file(1).error().code(), ErrorCode::Unsupported);
}

TEST(TorchSparse, AnUnknownLayoutIsRefused) {
  SpecialFile file;
  file.add("w",
           py::sparse("strided", file.longs({0, 0}, {2}), file.longs({}, {0}), file.floats({}, {0}), {1, 1}));
  EXPECT_EQ(file.error().code(), ErrorCode::MalformedCheckpoint);
}

}  // namespace
}  // namespace weighbridge::test
