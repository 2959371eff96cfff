// libhdf5 over our driver, on files that it makes in memory.
#include "formats/hdf5/library.hpp"

#include <functional>

#include <weighbridge/write.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include "formats/keras/read.hpp"
#include "hdf5/hdf5.hpp"

namespace weighbridge {
namespace {

using testing::HasSubstr;

/// The bytes of a file that `fill` puts objects into.
std::string make_file(const std::function<void(hid_t)>& fill) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 4096, false);
  const hid_t file = H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  fill(file);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string bytes(static_cast<std::size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  H5Fget_file_image(file, bytes.data(), bytes.size());
  H5Fclose(file);
  H5Pclose(access);
  return bytes;
}

void add_dataset(hid_t file, const char* name, const std::vector<hsize_t>& shape,
                 hid_t creation = H5P_DEFAULT) {
  std::vector<float> values(64);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  const hid_t dataset = H5Dcreate2(file, name, H5T_IEEE_F32BE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(dataset);
  H5Sclose(space);
}

OpenOptions options() {
  OpenOptions out;
  out.hdf5 = hdf5_library();
  return out;
}

Checkpoint read(std::string bytes) {
  return keras::read_hdf5(memory_source(Buffer::take(std::move(bytes))), options());
}

std::vector<float> values_of(const TensorEntry& tensor) {
  const ByteRuns runs = tensor_runs(tensor);
  std::vector<float> values(runs.total_bytes / sizeof(float));
  read_runs(*tensor.data.source, runs, tensor.data.transform, 0, std::as_writable_bytes(std::span(values)));
  return values;
}

void expect_refused(std::string bytes, ErrorCode code, std::string_view text) {
  try {
    static_cast<void>(read(std::move(bytes)));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_THAT(error.what(), HasSubstr(std::string(text)));
  }
}

TEST(Hdf5Library, AContiguousDatasetIsAStretchOfTheFile) {
  const SourcePtr source =
      memory_source(Buffer::take(make_file([](hid_t file) { add_dataset(file, "a", {2, 3}); })));
  const Checkpoint checkpoint = keras::read_hdf5(source, options());
  ASSERT_EQ(checkpoint.tensors.size(), 1U);
  const TensorEntry& tensor = checkpoint.tensors.front();
  EXPECT_EQ(tensor.spec, (TensorSpec{"a", DType::F32, {2, 3}}));
  EXPECT_EQ(tensor.data.source, source);
  EXPECT_EQ(tensor.data.transform, Transform::Swap4);
  EXPECT_EQ(values_of(tensor), (std::vector<float>{0, 1, 2, 3, 4, 5}));
}

TEST(Hdf5Library, ChunksOutliveTheirCheckpoint) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[] = {2, 2};
  H5Pset_chunk(creation, 2, chunk);
  H5Pset_shuffle(creation);
  H5Pset_deflate(creation, 6);
  TensorEntry kept;
  {
    const Checkpoint checkpoint =
        read(make_file([&](hid_t file) { add_dataset(file, "a", {3, 3}, creation); }));
    kept = checkpoint.tensors.at(0);
  }
  EXPECT_EQ(values_of(kept), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  H5Pclose(creation);
}

TEST(Hdf5Library, ALinkToAnotherFileIsRefused) {
  expect_refused(make_file([](hid_t file) {
                   add_dataset(file, "a", {2});
                   H5Lcreate_external("other.h5", "/a", file, "out", H5P_DEFAULT, H5P_DEFAULT);
                 }),
                 ErrorCode::Unsupported, "'/out' is a link to another file");
}

TEST(Hdf5Library, DataInAnotherFileAreRefused) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, "secret", 0, 8);
  expect_refused(
      make_file([&](hid_t file) {
        const hsize_t size = 2;
        const hid_t space = H5Screate_simple(1, &size, nullptr);
        H5Dclose(H5Dcreate2(file, "out", H5T_IEEE_F32LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
        H5Sclose(space);
      }),
      ErrorCode::Unsupported, "dataset 'out' has its data in other files");
  H5Pclose(creation);
}

/// A file with one text in its global heap, and where that begins.
struct HeapFile {
  std::string bytes = make_file([](hid_t file) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(file, "text", type, space, H5P_DEFAULT, H5P_DEFAULT);
    const char* text = "twelve bytes";
    H5Awrite(attribute, type, static_cast<const void*>(&text));
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    add_dataset(file, "a", {2});
  });
  std::size_t heap = bytes.find("GCOL");

  /// The length of the object whose header begins there.
  std::string with_length(std::size_t object, std::uint64_t length) const {
    std::string changed = bytes;
    for (std::size_t i = 0; i < sizeof length; ++i) {
      changed[heap + object + 8 + i] = static_cast<char>(length >> 8 * i & 0xFF);
    }
    return changed;
  }
};

// libhdf5 1.10.8 never ends for the first of these, and reads foreign memory for the others.
TEST(Hdf5Library, GlobalHeapsThatContradictThemselvesAreRefused) {
  constexpr std::size_t kHeader = 16;
  constexpr std::size_t kText = 16;
  constexpr std::size_t kFree = kText + kHeader + 16;
  const HeapFile file;
  ASSERT_NE(file.heap, std::string::npos);
  EXPECT_EQ(read(file.bytes).tensors.size(), 1U);
  expect_refused(file.with_length(kFree, 0), ErrorCode::MalformedCheckpoint, "a free object without room");
  expect_refused(file.with_length(kFree, 15), ErrorCode::MalformedCheckpoint, "a free object without room");
  expect_refused(file.with_length(kFree, 4096), ErrorCode::MalformedCheckpoint, "an object beyond its end");
  expect_refused(file.with_length(kText, UINT64_MAX), ErrorCode::MalformedCheckpoint,
                 "an object beyond its end");
  expect_refused(file.with_length(kText, 4096 - kText - kHeader + 1), ErrorCode::MalformedCheckpoint,
                 "an object beyond its end");
  expect_refused(file.with_length(0, UINT64_MAX), ErrorCode::MalformedCheckpoint, "leaves the file");
}

TEST(Hdf5Library, GroupsDeeperThanTheLimitAreRefused) {
  const std::string bytes = make_file([](hid_t file) {
    hid_t group = H5Gcreate2(file, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < 40; ++i) {
      const hid_t inner = H5Gcreate2(group, "g", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Gclose(group);
      group = inner;
    }
    H5Gclose(group);
  });
  Limits limits;
  limits.walk_depth = 20;
  const SourcePtr source = memory_source(Buffer::take(bytes));
  EXPECT_EQ(hdf5_library()->read(source, {}).groups.size(), 42U);
  EXPECT_THROW(static_cast<void>(hdf5_library()->read(source, limits)), Error);
}

TEST(Hdf5Library, ObjectsAndAttributesAreCounted) {
  const SourcePtr source = memory_source(Buffer::take(make_file([](hid_t file) {
    for (const char* name : {"a", "b", "c"}) add_dataset(file, name, {2});
  })));
  Limits limits;
  limits.tensors = 2;
  EXPECT_THROW(static_cast<void>(hdf5_library()->read(source, limits)), Error);
  limits.tensors = 3;
  EXPECT_EQ(hdf5_library()->read(source, limits).datasets.size(), 3U);
}

TEST(Hdf5Library, AFailureOfTheSourceIsItsOwnError) {
  class Failing final : public ByteSource {
   public:
    explicit Failing(std::string bytes) : bytes_(std::move(bytes)) {}
    std::uint64_t size() const override { return bytes_.size(); }
    void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      if (offset + out.size() > 600) throw Error(ErrorCode::IoError, "the disk is gone");
      std::ranges::copy(std::as_bytes(std::span(bytes_)).subspan(offset, out.size()), out.begin());
    }

   private:
    std::string bytes_;
  };
  const auto source = std::make_shared<Failing>(make_file([](hid_t file) { add_dataset(file, "a", {2}); }));
  try {
    static_cast<void>(hdf5_library()->read(source, {}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::IoError);
  }
}

TEST(Hdf5Library, NoFileIsReadWithoutIt) {
  const SourcePtr source =
      memory_source(Buffer::take(make_file([](hid_t file) { add_dataset(file, "a", {2}); })));
  try {
    static_cast<void>(read_checkpoint(source));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr("reads in its worker alone"));
  }
  EXPECT_EQ(find_format(*source), "hdf5");
}

}  // namespace
}  // namespace weighbridge
