// Distributed checkpoints: a metadata pickle and files beside it, written by hand.
#include <map>

#include <weighbridge/folder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/torch/tiles.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kModule = "torch.distributed.checkpoint.metadata";
constexpr std::string_view kStorageModule = "torch.distributed.checkpoint.filesystem";

using Entries = std::vector<std::pair<py::Value, py::Value>>;

/// An instance whose state is a dict of its fields, as dataclasses are pickled.
py::Value record(std::string_view module, std::string_view name,
                 const std::vector<std::pair<std::string, py::Value>>& fields) {
  Entries entries;
  for (const auto& [field, value] : fields) entries.emplace_back(py::text(field), value);
  return py::build(py::object(py::global(module, name)), py::dict(entries));
}

py::Value size_of(const py::Numbers& numbers) {
  return py::call(py::global("torch", "Size"), {py::tuple_of(numbers)});
}

/// A piece of the float tensor 'w'.
struct Piece {
  py::Numbers offsets;
  py::Numbers sizes;
  std::string file;
  std::string content;  ///< Floats of the piece.
  std::int64_t length_change = 0;
};

/// The folder of a checkpoint in memory.
class Files final : public InputFolder {
 public:
  SourcePtr find(std::string_view name, Links /*links*/) const override {
    if (!is_plain_file_name(name)) throw Error(ErrorCode::MalformedCheckpoint, "no plain name");
    const auto found = files.find(std::string(name));
    return found == files.end() ? nullptr : source_of(found->second);
  }

  std::map<std::string, std::string> files;
};

std::string piece_archive(const Piece& piece) {
  std::int64_t count = 1;
  py::Numbers strides(piece.sizes.size());
  for (std::size_t i = piece.sizes.size(); i-- > 0;) {
    strides[i] = count;
    count *= piece.sizes[i];
  }
  return zip_checkpoint(py::tensor(py::storage("FloatStorage", "0", count), 0, piece.sizes, strides),
                        {{"0", piece.content}})
      .bytes();
}

py::Value properties() {
  return py::build(py::object(py::global(kModule, "TensorProperties")),
                   py::tuple({py::global("torch", "float32"), py::none(), py::boolean(false), py::none(),
                              py::boolean(false)}));
}

/// Reads a checkpoint of one tensor 'w' of that shape in these pieces.
Checkpoint load_pieces(const py::Numbers& shape, const std::vector<Piece>& pieces,
                       const py::Value& transforms = py::none()) {
  const auto folder = std::make_shared<Files>();
  py::Values chunks;
  Entries storage;
  for (const Piece& piece : pieces) {
    chunks.push_back(record(kModule, "ChunkStorageMetadata",
                            {{"offsets", size_of(piece.offsets)}, {"sizes", size_of(piece.sizes)}}));
    std::string& file = folder->files[piece.file];
    const std::string archive = piece_archive(piece);
    storage.emplace_back(
        record(kModule, "MetadataIndex", {{"fqn", py::text("w")}, {"offset", size_of(piece.offsets)}}),
        record(kStorageModule, "_StorageInfo",
               {{"relative_path", py::text(piece.file)},
                {"offset", py::integer(static_cast<std::int64_t>(file.size()))},
                {"length", py::integer(static_cast<std::int64_t>(archive.size()) + piece.length_change)},
                {"transform_descriptors", transforms}}));
    file += archive;
  }
  const py::Value tensor =
      record(kModule, "TensorStorageMetadata",
             {{"properties", properties()}, {"size", size_of(shape)}, {"chunks", py::list(chunks)}});
  const std::string metadata = py::pickle(record(
      kModule, "Metadata",
      {{"state_dict_metadata", py::dict({{py::text("w"), tensor}})}, {"storage_data", py::dict(storage)}}));
  OpenOptions options;
  options.folder = folder;
  return read_checkpoint(source_of(metadata), options);
}

/// Floats from..to-1.
std::string range(int from, int to) { return floats(to).substr(static_cast<std::size_t>(from) * 4); }

Error refused(const py::Numbers& shape, const std::vector<Piece>& pieces) {
  return error_of([&] { load_pieces(shape, pieces); });
}

TEST(Dcp, OnePieceIsTheTensorAsItLies) {
  const Checkpoint checkpoint = load_pieces({2, 3}, {{{0, 0}, {2, 3}, "a.distcp", floats(6)}});
  EXPECT_EQ(checkpoint.format, "torch-dcp");
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w"));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(6));
}

TEST(Dcp, PiecesOfRowsAreJoinedAcrossFiles) {
  const Checkpoint checkpoint = load_pieces(
      {3, 2}, {{{2, 0}, {1, 2}, "b.distcp", range(4, 6)}, {{0, 0}, {2, 2}, "a.distcp", range(0, 4)}});
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(6));
}

TEST(Dcp, PiecesOfColumnsAreInterleaved) {
  const std::string left = range(0, 1) + range(3, 4);
  const std::string right = range(1, 3) + range(4, 6);
  const Checkpoint checkpoint =
      load_pieces({2, 3}, {{{0, 0}, {2, 1}, "a", left}, {{0, 1}, {2, 2}, "a", right}});
  const TensorEntry& entry = checkpoint.tensors[0];
  EXPECT_EQ(content_of(entry), floats(6));
  // Any part of it can be read alone.
  for (std::uint64_t from = 0; from < 24; ++from) {
    std::string part(24 - from, '\0');
    entry.data.source->read_at(from, std::as_writable_bytes(std::span(part)));
    EXPECT_EQ(part, floats(6).substr(from)) << from;
  }
}

TEST(Dcp, EmptyPiecesDoNotCount) {
  const Checkpoint checkpoint =
      load_pieces({1, 2}, {{{0, 0}, {1, 2}, "a", floats(2)}, {{1, 0}, {0, 2}, "b", ""}});
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(2));
}

TEST(Dcp, CountsTheFilesAsInput) {
  const Checkpoint checkpoint = load_pieces({2}, {{{0}, {2}, "a", floats(2)}});
  EXPECT_GT(checkpoint.source_bytes, piece_archive({{0}, {2}, "a", floats(2)}).size());
}

TEST(Dcp, Hostile65NamesOutsideOfTheFolderAreRefused) {
  for (const char* name : {"../x", "/etc/passwd", "a/b", "", ".."}) {
    EXPECT_EQ(refused({2}, {{{0}, {2}, name, floats(2)}}).code(), ErrorCode::MalformedCheckpoint) << name;
  }
}

TEST(Dcp, Hostile65OverlappingPiecesAreRefused) {
  const Error error = refused({3}, {{{0}, {2}, "a", floats(2)}, {{1}, {2}, "a", floats(2)}});
  EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint);
  EXPECT_THAT(error.what(), HasSubstr("'w': its pieces at [0] and [1] overlap"));
}

TEST(Dcp, Hostile65MissingPiecesAreRefused) {
  const Error error = refused({5}, {{{0}, {2}, "a", floats(2)}, {{3}, {2}, "a", floats(2)}});
  EXPECT_THAT(error.what(), HasSubstr("'w': its pieces have 4 elements, 5 needed"));
}

TEST(Dcp, Hostile65PiecesOutsideOfTheTensorAreRefused) {
  const Error error = refused({3}, {{{2}, {2}, "a", floats(2)}});
  EXPECT_THAT(error.what(), HasSubstr("a piece at [2] of shape [2] leaves the tensor of shape [3]"));
}

TEST(Dcp, Hostile65RangesOutsideOfTheFileAreRefused) {
  const Error error = refused({2}, {{{0}, {2}, "a", floats(2), 1}});
  EXPECT_EQ(error.code(), ErrorCode::MalformedCheckpoint);
  EXPECT_THAT(error.what(), HasSubstr("leave 'a'"));
}

TEST(Dcp, PiecesOfAnotherRankAreRefused) {
  EXPECT_THAT(refused({2}, {{{0, 0}, {2, 1}, "a", floats(2)}}).what(),
              HasSubstr("the tensor has 1 dimensions"));
}

TEST(Dcp, TransformedPiecesAreNotSupported) {
  const Error error =
      error_of([] { load_pieces({2}, {{{0}, {2}, "a", floats(2)}}, py::list({py::text("zstd")})); });
  EXPECT_EQ(error.code(), ErrorCode::Unsupported);
}

TEST(Dcp, WithoutAFolderTheFileIsNamed) {
  OpenOptions options;
  const std::string metadata = py::pickle(record(
      kModule, "Metadata",
      {{"state_dict_metadata", py::dict({{py::text("x"), record(kModule, "BytesStorageMetadata", {})}})},
       {"storage_data", py::dict({{record(kModule, "MetadataIndex", {{"fqn", py::text("x")}}),
                                   record(kStorageModule, "_StorageInfo",
                                          {{"relative_path", py::text("__0_0.distcp")},
                                           {"offset", py::integer(0)},
                                           {"length", py::integer(1)}})}})}}));
  const Error error = error_of([&] { read_checkpoint(source_of(metadata), options); });
  EXPECT_EQ(error.code(), ErrorCode::IoError);
  EXPECT_THAT(error.what(), HasSubstr("'x' is in '__0_0.distcp'"));
}

}  // namespace
}  // namespace weighbridge::test
