// Bits of the general purpose flags that change what the bytes of an entry mean.
#pragma once

#include <cstdint>

namespace weighbridge::zip {

constexpr std::uint16_t kEncrypted = 0x0001;
constexpr std::uint16_t kSizesFollowData = 0x0008;
constexpr std::uint16_t kPatchData = 0x0020;
constexpr std::uint16_t kStronglyEncrypted = 0x0040;
constexpr std::uint16_t kHeadersMasked = 0x2000;

constexpr std::uint16_t kAnyEncryption = kEncrypted | kStronglyEncrypted | kHeadersMasked;

}  // namespace weighbridge::zip
