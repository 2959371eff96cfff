#include "io/unit_memory.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "io/pages.hpp"
#include "io/smaps.hpp"

namespace weighbridge::io {
namespace {

TEST(UnitMemory, HoldsUnitsOneBehindTheOther) {
  constexpr std::size_t kUnits = 5;
  const UnitMemory memory(kUnits);
  for (std::size_t i = 0; i < kUnits; ++i) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.of(i)) % page_bytes(), 0U);
    EXPECT_EQ(memory.of(i), memory.of(0) + i * kUnit);
    std::fill_n(memory.of(i), kUnit, static_cast<std::byte>(i));
  }
  for (std::size_t i = 0; i < kUnits; ++i) {
    EXPECT_EQ(std::count(memory.of(i), memory.of(i) + kUnit, static_cast<std::byte>(i)),
              static_cast<std::ptrdiff_t>(kUnit));
  }
}

// What it is for: a unit of small pages lies in more places than many disks take with one request.
TEST(UnitMemory, AsksForLargePages) {
  const UnitMemory memory(16);
  // Where the kernel has no large pages at all, it does not note the wish either.
  if (test::smaps_field(memory.of(0), "THPeligible:").empty()) GTEST_SKIP() << "no large pages here";
  EXPECT_NE(test::smaps_field(memory.of(2), "VmFlags:").find(" hg"), std::string::npos);
}

}  // namespace
}  // namespace weighbridge::io
