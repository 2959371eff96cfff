#include <numeric>
#include <random>
#include <thread>

#include <weighbridge/error.hpp>

#include <gtest/gtest.h>

#include "formats/hdf5/chunk_source.hpp"

namespace weighbridge::hdf5 {
namespace {

using Bytes = std::vector<std::byte>;

/// Chunks of a dataset whose element k is k.
class CountingStore final : public ChunkStore {
 public:
  CountingStore(Shape shape, Shape chunk, int* reads)
      : shape_(std::move(shape)), chunk_(std::move(chunk)), reads_(reads) {}

  std::optional<StoredChunk> read(std::span<const std::uint64_t> corner) override {
    ++*reads_;
    StoredChunk out;
    const std::uint64_t count =
        std::accumulate(chunk_.begin(), chunk_.end(), std::uint64_t{1}, std::multiplies<>());
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint16_t value = value_at(corner, i);
      out.bytes.push_back(static_cast<std::byte>(value & 0xFF));
      out.bytes.push_back(static_cast<std::byte>(value >> 8));
    }
    return out;
  }

 private:
  [[nodiscard]] std::uint16_t value_at(std::span<const std::uint64_t> corner, std::uint64_t i) const {
    std::uint64_t value = 0;
    std::uint64_t stride = 1;
    for (std::size_t d = shape_.size(); d-- > 0;) {
      value += (corner[d] + i % chunk_[d]) * stride;
      i /= chunk_[d];
      stride *= shape_[d];
    }
    return static_cast<std::uint16_t>(value);
  }

  Shape shape_;
  Shape chunk_;
  int* reads_;
};

struct Counted {
  SourcePtr source;
  std::shared_ptr<ChunkCache> cache;
  int reads = 0;

  Counted(const Shape& shape, const Shape& chunk, std::uint64_t most = 1 << 20)
      : cache(std::make_shared<ChunkCache>(most)) {
    source = chunk_source({.path = "d", .shape = shape, .chunk = chunk, .element_bytes = 2, .fill = Bytes(2)},
                          std::make_unique<CountingStore>(shape, chunk, &reads), cache);
  }
};

void expect_counting(const ByteSource& source, std::uint64_t from, std::uint64_t bytes) {
  Bytes out(bytes);
  source.read_at(from, out);
  for (std::uint64_t i = 0; i < bytes; ++i) {
    const std::uint64_t at = from + i;
    const std::uint64_t value = at / 2;
    ASSERT_EQ(std::to_integer<unsigned>(out[i]), (at % 2 == 0 ? value : value >> 8) & 0xFF) << "byte " << at;
  }
}

TEST(Hdf5ChunkSource, IsRowMajorWhateverTheChunks) {
  const std::vector<std::pair<Shape, Shape>> kinds = {{{7}, {3}},
                                                      {{7}, {7}},
                                                      {{7}, {9}},
                                                      {{4, 5}, {3, 2}},
                                                      {{4, 5}, {2, 5}},
                                                      {{4, 5}, {4, 5}},
                                                      {{4, 5}, {1, 1}},
                                                      {{4, 5}, {4, 6}},
                                                      {{3, 4, 5}, {2, 4, 5}},
                                                      {{3, 4, 5}, {2, 2, 5}},
                                                      {{3, 4, 5}, {1, 3, 2}},
                                                      {{2, 1, 3, 4}, {2, 1, 2, 4}}};
  for (const auto& [shape, chunk] : kinds) {
    const Counted counted(shape, chunk);
    for (std::uint64_t from = 0; from < counted.source->size(); ++from) {
      expect_counting(*counted.source, from, counted.source->size() - from);
    }
  }
}

TEST(Hdf5ChunkSource, KeepsWhatFitsAndDecodesOnceForEachPass) {
  Counted fits({8, 8}, {2, 2});
  expect_counting(*fits.source, 0, 128);
  expect_counting(*fits.source, 0, 128);
  EXPECT_EQ(fits.reads, 16);
  Counted tight({8, 8}, {2, 2}, 8);
  expect_counting(*tight.source, 0, 128);
  EXPECT_EQ(tight.reads, 32);  // both rows of each chunk
}

TEST(Hdf5ChunkSource, ReadersTakeTurns) {
  const Counted counted({64, 64}, {5, 7}, 1000);
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 50; ++i) {
        const std::uint64_t from = random() % 8000;
        expect_counting(*counted.source, from, random() % (8192 - from));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class EmptyStore final : public ChunkStore {
 public:
  std::optional<StoredChunk> read(std::span<const std::uint64_t> /*corner*/) override { return std::nullopt; }
};

TEST(Hdf5ChunkSource, ChunksThatWereNeverWrittenAreFilled) {
  const auto source = chunk_source(
      {.path = "d", .shape = {5}, .chunk = {2}, .element_bytes = 2, .fill = {std::byte{1}, std::byte{2}}},
      std::make_unique<EmptyStore>(), std::make_shared<ChunkCache>(100));
  Bytes out(9);
  source->read_at(1, out);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::to_integer<int>(out[i]), i % 2 == 0 ? 2 : 1);
}

TEST(Hdf5ChunkSource, ErrorsNameTheDatasetAndTheChunk) {
  class Broken final : public ChunkStore {
    std::optional<StoredChunk> read(std::span<const std::uint64_t> /*corner*/) override {
      return StoredChunk{.bytes = Bytes(3)};
    }
  };
  const auto source = chunk_source(
      {.path = "layer/w", .shape = {4, 4}, .chunk = {2, 2}, .element_bytes = 1, .fill = Bytes(1)},
      std::make_unique<Broken>(), std::make_shared<ChunkCache>(100));
  Bytes out(1);
  try {
    source->read_at(10, out);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "dataset 'layer/w', chunk at [2, 2]: a chunk is damaged: it has 3 bytes, 4 are needed");
  }
}

TEST(Hdf5ChunkSource, AChunkOfMoreThanAGibibyteIsRefused) {
  EXPECT_THROW(Counted({std::uint64_t{1} << 32}, {std::uint64_t{1} << 30}), Error);
}

}  // namespace
}  // namespace weighbridge::hdf5
