// Containers that lie, by the numbers of the list of hostile cases; most of that list stands with the
// container that it is about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compressors.hpp"
#include "support/tar_builder.hpp"
#include "support/torch_builder.hpp"

namespace weighbridge::test {
namespace {

using compressed::Codec;
using testing::Contains;
using testing::HasSubstr;

Error refusal(const std::string& file) {
  return error_of([&] { read_checkpoint(source_of(file)); });
}

std::string good_pickle() { return py::pickle(py::dict({{py::text("w"), py::one_float()}})); }
std::string evil_pickle() { return py::pickle(py::call(py::global("os", "system"), {py::text("true")})); }

TEST(HostileContainers, Hostile01DuplicateDataPkl) {
  for (const bool evil_last : {true, false}) {
    ZipBuilder zip;
    zip.add("a/data.pkl", evil_last ? good_pickle() : evil_pickle());
    zip.add("a/data.pkl", evil_last ? evil_pickle() : good_pickle());
    zip.add("a/data/0", "wxyz");
    EXPECT_EQ(refusal(zip.bytes()).code(), ErrorCode::MalformedArchive);
  }
}

TEST(HostileContainers, Hostile02DataPklInCapitals) {
  ZipBuilder both;
  both.add("a/data.pkl", good_pickle());
  both.add("a/DATA.PKL", evil_pickle());
  EXPECT_EQ(refusal(both.bytes()).code(), ErrorCode::MalformedArchive);
  ZipBuilder alone;
  alone.add("a/DATA.PKL", evil_pickle());
  EXPECT_EQ(refusal(alone.bytes()).code(), ErrorCode::UnknownFormat);
}

TEST(HostileContainers, Hostile12NamesThatLeaveTheArchive) {
  ZipBuilder beside;
  beside.add("a/data.pkl", good_pickle());
  beside.add("a/data/0", "wxyz");
  beside.add("a/../../etc/cron.d/x", "never read");
  EXPECT_THAT(codes_of(load(beside)), Contains("UnsafeName"));
  ZipBuilder referenced;
  referenced.add("a/data.pkl", py::pickle(py::tensor(py::storage("FloatStorage", "../x", 1), 0, {1}, {1})));
  referenced.add("a/x", "wxyz");
  EXPECT_EQ(refusal(referenced.bytes()).code(), ErrorCode::MalformedCheckpoint);
}

TEST(HostileContainers, Hostile18DeflateBombInAStorage) {
  constexpr std::int64_t kElements = 25'000'000;
  ZipBuilder zip;
  const py::Value storage = py::storage("FloatStorage", "0", kElements);
  zip.add("a/data.pkl", py::pickle(py::tensor(storage, 0, {kElements}, {1})));
  zip.add_deflated("a/data/0", std::string(4 * kElements, '\0'));
  OpenOptions options;
  options.limits.inflated_floor = 1 << 20;
  const Error error = error_of([&] { read_checkpoint(zip.source(), options); });
  EXPECT_EQ(error.code(), ErrorCode::LimitExceeded);
}

TEST(HostileContainers, Hostile50NestedBytesOfAnotherContainer) {
  TarBuilder tar;
  tar.add("sys_info", "");
  const std::string stream = legacy_checkpoint(legacy_storage("FloatStorage", "1", 1), {{"1", 1, "wxyz"}});
  for (const std::string& bytes : {tar.bytes(), compress(Codec::Gzip, stream), good_pickle()}) {
    const py::Value storage = py::call(py::global("torch.storage", "_load_from_bytes"), {py::bytes(bytes)});
    EXPECT_THAT(refusal(py::pickle(storage)).what(), HasSubstr("no legacy stream"));
  }
}

TEST(HostileContainers, Hostile60ViewOfAViewInALegacyStream) {
  const auto view = [](std::string_view key) {
    return py::tuple({py::text(key), py::integer(1), py::integer(1)});
  };
  const py::Value first = py::tensor(legacy_storage("FloatStorage", "1", 4, view("2")), 0, {1}, {1});
  const py::Value second = py::tensor(legacy_storage("FloatStorage", "2", 2, view("3")), 0, {1}, {1});
  const std::string file = legacy_checkpoint(py::list({first, second}), {{"1", 4, floats(4)}});
  EXPECT_THAT(refusal(file).what(), HasSubstr("storage '2' is not in the list"));
}

TEST(HostileContainers, DoNotHideDangerousCode) {
  TarBuilder tar;
  tar.add("weights.pkl", evil_pickle());
  for (const std::string& file : {compress(Codec::Gzip, evil_pickle()), tar.bytes(),
                                  compress(Codec::Xz, compress(Codec::Zlib, evil_pickle()))}) {
    EXPECT_THAT(codes_of(load(file)), Contains("DangerousGlobal"));
  }
  const std::string broken = compress(Codec::Bzip2, evil_pickle().substr(0, evil_pickle().size() - 1));
  EXPECT_EQ(refusal(broken).code(), ErrorCode::DangerousContent);
}

TEST(HostileContainers, DoNotMultiplyTheirBombs) {
  std::string bomb(30'000'000, '\0');
  for (int level = 0; level < 3; ++level) bomb = compress(Codec::Bzip2, bomb);
  OpenOptions options;
  options.limits.inflated_floor = 1 << 20;
  EXPECT_EQ(error_of([&] { read_checkpoint(source_of(bomb), options); }).code(), ErrorCode::LimitExceeded);
}

}  // namespace
}  // namespace weighbridge::test
