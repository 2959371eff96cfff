// The pages that memory is made of.
#pragma once

#include <cstddef>
#include <span>

namespace weighbridge::io {

std::size_t page_bytes() noexcept;

/// Makes the pages that lie wholly in `memory`, so that filling it does not stop at each: one call costs a
/// third of the faults. Changes no byte. Where the kernel cannot make them (before 5.14), that does not
/// happen. True when there were any to make. Those that are there and lent stay so until they are written to.
bool make_pages(std::span<std::byte> memory) noexcept;

/// Lets the kernel take the pages of `memory` when it has need of them: what they hold is lost then, and a
/// touch makes new ones. Writing to a page takes it again. False where the kernel cannot.
bool lend_pages(std::span<std::byte> memory) noexcept;

/// Takes the pages that lie wholly in `memory` again, which only a device is going to write to: some kernels
/// before 5.18 do not see that. Changes no byte.
void take_pages(std::span<std::byte> memory) noexcept;

/// Asks for large pages where they begin in `memory` and lie in it by seven eighths or more, or for small
/// ones again. Those that are there stay.
void advise_large_pages(std::span<std::byte> memory, bool large) noexcept;

inline constexpr std::size_t kLargePage = std::size_t{2} << 20;

/// So much of a large page is worth a whole one.
inline constexpr std::size_t kMostOfLargePage = kLargePage / 8 * 7;

/// Brings the pages of a mapping into memory and into the page table. False when that fails, as when the
/// file has become shorter: then a touch would raise SIGBUS. True where the kernel cannot tell.
bool bring_pages(std::span<const std::byte> mapped) noexcept;

/// The same for a mapping that is to be written to; changes no byte. False also where the kernel cannot tell.
bool bring_pages_to_write(std::span<std::byte> mapped) noexcept;

}  // namespace weighbridge::io
