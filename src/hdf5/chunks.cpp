#include "hdf5/chunks.hpp"

#include <array>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "hdf5/failure.hpp"

namespace weighbridge::hdf5 {
namespace {

constexpr H5Z_filter_t kLzf = 32000;  // as registered with The HDF Group
constexpr int kMostFilters = 32;      // a chunk has a bit for each that was left out

class LibraryStore final : public ChunkStore {
 public:
  LibraryStore(std::shared_ptr<File> file, Handle dataset, std::string path)
      : file_(std::move(file)), dataset_(std::move(dataset)), path_(std::move(path)) {}

  std::optional<StoredChunk> read(std::span<const std::uint64_t> corner) override {
    silence();  // whichever thread this is
    const std::vector<hsize_t> at(corner.begin(), corner.end());
    const std::uint64_t size = size_at(at);
    if (size == 0) return std::nullopt;
    if (size > file_->source()->size()) {
      throw Error(ErrorCode::MalformedCheckpoint,
                  fmt::format("its {} bytes are more than the file has", size), path_);
    }
    StoredChunk chunk{.bytes = std::vector<std::byte>(size)};
    file_->allow(2 * size);
    const herr_t status =
        H5Dread_chunk(dataset_.get(), H5P_DEFAULT, at.data(), &chunk.skipped, chunk.bytes.data());
    file_->rethrow();
    if (status < 0) throw Error(failure("a chunk", path_));
    return chunk;
  }

 private:
  /// 0 for a chunk that was never written.
  [[nodiscard]] std::uint64_t size_at(const std::vector<hsize_t>& at) {
    hsize_t size = 0;
    file_->allow(kIndexBytes);
    const herr_t status = H5Dget_chunk_storage_size(dataset_.get(), at.data(), &size);
    file_->rethrow();
    if (status < 0 && is_written(at)) throw Error(failure("the place of a chunk", path_));
    return status < 0 ? 0 : size;
  }

  /// What libhdf5 calls an error may be a chunk that is not there; to tell them apart takes a look at all.
  [[nodiscard]] bool is_written(const std::vector<hsize_t>& at) {
    haddr_t address = HADDR_UNDEF;
    unsigned skipped = 0;
    hsize_t size = 0;
    const herr_t status = H5Dget_chunk_info_by_coord(dataset_.get(), at.data(), &skipped, &address, &size);
    file_->rethrow();
    return status < 0 || address != HADDR_UNDEF;
  }

  /// Nodes of the index that a look for one chunk may bring in again.
  static constexpr std::uint64_t kIndexBytes = 1 << 16;

  std::shared_ptr<File> file_;  // outlives the dataset
  Handle dataset_;
  std::string path_;
};

Filter known_filter(H5Z_filter_t number, std::string_view path) {
  switch (number) {
    case H5Z_FILTER_DEFLATE:
      return Filter::Deflate;
    case H5Z_FILTER_SHUFFLE:
      return Filter::Shuffle;
    case H5Z_FILTER_FLETCHER32:
      return Filter::Fletcher32;
    case kLzf:
      return Filter::Lzf;
    default:
      throw Error(
          ErrorCode::Unsupported,
          fmt::format(
              "dataset '{}' went through filter {}; deflate, shuffle, fletcher32 and lzf are undone here",
              printable(path), number),
          std::string(path));
  }
}

}  // namespace

ChunkLayout describe_chunks(hid_t creation, std::string_view path) {
  ChunkLayout layout{.path = std::string(path)};
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, sizes.data());
  const int filters = H5Pget_nfilters(creation);
  if (rank < 0 || rank > H5S_MAX_RANK || filters < 0 || filters > kMostFilters) {
    throw Error(failure("the chunks", path));
  }
  layout.chunk.assign(sizes.begin(), sizes.begin() + rank);
  for (const hsize_t size : layout.chunk) {
    if (size == 0) throw Error(failure("the size of chunks", path));
  }
  for (int i = 0; i < filters; ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t number =
        H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, nullptr);
    if (number < 0) throw Error(failure("the filters", path));
    layout.filters.push_back(known_filter(number, path));
  }
  return layout;
}

std::unique_ptr<ChunkStore> open_chunks(std::shared_ptr<File> file, hid_t dataset, std::string path) {
  if (H5Iinc_ref(dataset) < 0) throw Error(failure("the data", path));
  return std::make_unique<LibraryStore>(std::move(file), Handle(dataset, H5Dclose), std::move(path));
}

}  // namespace weighbridge::hdf5
