#include "io/pages.hpp"

#include <algorithm>
#include <vector>

#include <weighbridge/byte_source.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/descriptor.hpp"
#include "io/residency.hpp"
#include "io/smaps.hpp"
#include "io/stream_copy.hpp"
#include "io/support.hpp"

namespace weighbridge::io {
namespace {

using namespace weighbridge::test;

TEST(Pages, AreMadeWithoutChangingAByte) {
  std::vector<std::byte> memory(100'000, std::byte{3});
  make_pages(std::span(memory).subspan(5, 90'000));
  EXPECT_EQ(memory, std::vector<std::byte>(100'000, std::byte{3}));
  make_pages({});
  make_pages(std::span(memory).first(10));
}

// How many pages from `base` on are in memory.
std::size_t count_pages(void* base, std::size_t pages) {
  std::vector<unsigned char> states(pages);
  EXPECT_EQ(::mincore(base, pages * page_bytes(), states.data()), 0);
  return static_cast<std::size_t>(
      std::ranges::count_if(states, [](auto state) { return (state & 1U) != 0; }));
}

TEST(Pages, AreMadeWhereverTheyAreMissing) {
  constexpr std::size_t kPages = 1500;
  for (const std::size_t there : {std::size_t{0}, std::size_t{1}, std::size_t{1200}, kPages - 1, kPages}) {
    void* base =
        ::mmap(nullptr, kPages * page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(base, MAP_FAILED);
    const std::span memory(static_cast<std::byte*>(base), kPages * page_bytes());
    for (std::size_t page = 0; page < there; ++page) memory[page * page_bytes()] = std::byte{7};
    make_pages(memory);
    EXPECT_EQ(count_pages(base, kPages), kPages) << there;
    EXPECT_EQ(std::ranges::count(memory, std::byte{7}), static_cast<std::ptrdiff_t>(there));
    ::munmap(base, memory.size());
  }
}

TEST(Pages, ThatWereLentAreTakenAgainAsTheyAre) {
  const FreshMemory fresh(std::size_t{3} << 20);
  const std::span memory = fresh.bytes();
  const auto lent = [&] { return std::stoul(smaps_field(memory.data(), "LazyFree:")); };
  advise_large_pages(memory, false);
  std::ranges::fill(memory, std::byte{5});
  EXPECT_EQ(lent(), 0U);
  ASSERT_TRUE(lend_pages(memory));
  EXPECT_TRUE(lend_pages({}));
  EXPECT_GT(lent(), 0U);
  EXPECT_FALSE(make_pages(memory));
  EXPECT_GT(lent(), 0U);
  take_pages({});
  take_pages(memory);
  EXPECT_EQ(lent(), 0U);
  EXPECT_EQ(std::ranges::count(memory, std::byte{5}), std::ssize(memory));
}

TEST(Pages, ThatWereLentAreTakenAgainByACopy) {
  const FreshMemory fresh(std::size_t{3} << 20);
  const std::vector<std::byte> content(fresh.bytes().size(), std::byte{6});
  const auto lent = [&] { return std::stoul(smaps_field(fresh.bytes().data(), "LazyFree:")); };
  advise_large_pages(fresh.bytes(), false);
  std::ranges::fill(fresh.bytes(), std::byte{5});
  ASSERT_TRUE(lend_pages(fresh.bytes()));
  EXPECT_GT(lent(), 0U);
  stream_copy(content, fresh.bytes().data());
  EXPECT_EQ(lent(), 0U);
  EXPECT_TRUE(std::ranges::equal(content, fresh.bytes()));
}

TEST(Pages, AreLargeWhereMostOfOneLiesInTheMemory) {
  const FreshMemory fresh(4 * kLargePage);
  const auto address = reinterpret_cast<std::uintptr_t>(fresh.bytes().data());
  const std::span memory = fresh.bytes().subspan((kLargePage - address % kLargePage) % kLargePage);
  const auto is_large = [&](std::size_t page) {
    return smaps_field(&memory[page * kLargePage], "VmFlags:").find(" hg") != std::string::npos;
  };
  advise_large_pages(memory.first(kMostOfLargePage - 1), true);
  EXPECT_FALSE(is_large(0));
  advise_large_pages(memory.first(kMostOfLargePage), true);
  EXPECT_TRUE(is_large(0));
  EXPECT_FALSE(is_large(1));
  advise_large_pages(memory.subspan(1, 2 * kLargePage - 1), true);
  EXPECT_TRUE(is_large(1));
  EXPECT_FALSE(is_large(2));
  advise_large_pages(memory.first(kLargePage + kMostOfLargePage), false);
  EXPECT_FALSE(is_large(0));
  EXPECT_FALSE(is_large(1));
}

TEST(Pages, SayWhetherThereWereAnyToMake) {
  std::vector<std::byte> memory(3 << 20, std::byte{5});
  EXPECT_FALSE(make_pages(memory));
  EXPECT_FALSE(make_pages({}));
  const FreshMemory fresh(8 * page_bytes());
  EXPECT_TRUE(make_pages(fresh.bytes()));
  EXPECT_FALSE(make_pages(fresh.bytes()));
}

TEST(Pages, OfAFileThatBecameShorterCannotBeBrought) {
  const TempFolder folder;
  put_file(folder / "f", pattern(10 * page_bytes()));
  const SourcePtr source = open_file(folder / "f");
  const Buffer mapped = *source->map(0, source->size());
  EXPECT_TRUE(bring_pages(mapped.bytes()));
  EXPECT_TRUE(bring_pages(mapped.bytes().subspan(100, 5000)));
  ASSERT_EQ(::truncate((folder / "f").c_str(), static_cast<off_t>(page_bytes())), 0);
  EXPECT_TRUE(bring_pages(mapped.bytes().first(100)));
  EXPECT_FALSE(bring_pages(mapped.bytes().subspan(5 * page_bytes(), 100)));
}

TEST(Residency, OfAFileThatWasJustWrittenIsWhole) {
  const TempFolder folder;
  put_file(folder / "f", pattern(40 * page_bytes()));
  const SourcePtr source = open_file(folder / "f");
  const auto share = resident_share(*source, 100, 30 * page_bytes());
  ASSERT_TRUE(share.has_value());
  EXPECT_EQ(*share, 1.0);
}

/// The share that is found of a file of 64 MiB of which the first `written` bytes of each `stride` are there.
double share_of_written(std::uint64_t written, std::uint64_t stride) {
  constexpr std::uint64_t kSize = std::uint64_t{64} << 20;
  const TempFolder folder;
  const Descriptor file(::open((folder / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(::ftruncate(file.get(), kSize), 0);
  const std::vector<char> bytes(written, 'x');
  for (std::uint64_t at = 0; at < kSize; at += stride)
    EXPECT_EQ(::pwrite(file.get(), bytes.data(), written, static_cast<off_t>(at)),
              static_cast<ssize_t>(written));
  return resident_share(*open_file(folder / "f"), 0, kSize).value_or(-1);
}

TEST(Residency, OfALargeFileIsToldFromASample) {
  EXPECT_EQ(share_of_written(64U << 20, 64U << 20), 1);
  EXPECT_NEAR(share_of_written(32U << 20, 64U << 20), 0.5, 0.05);
  EXPECT_NEAR(share_of_written(4096, 64U << 20), 0, 0.05);
}

TEST(Residency, IsNotTakenInByEqualDistances) {
  for (const std::uint64_t stride : {1U << 17, 1U << 20, 3U << 20}) {
    SCOPED_TRACE(stride);
    EXPECT_NEAR(share_of_written(stride / 4, stride), 0.25, 0.1);
  }
}

TEST(Residency, OfWhatIsNoFileIsUnknown) { EXPECT_FALSE(resident_share(*in_memory("content"), 0, 7)); }

TEST(Residency, KnowsOfSomeMemory) {
  const auto available = available_memory();
  ASSERT_TRUE(available.has_value());
  EXPECT_GT(*available, 1'000'000U);
}

}  // namespace
}  // namespace weighbridge::io
