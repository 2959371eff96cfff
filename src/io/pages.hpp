// The pages that memory is made of.
#pragma once

#include <cstddef>
#include <span>

namespace weighbridge::io {

std::size_t page_bytes() noexcept;

/// Makes the pages that lie wholly in `memory`, so that filling it does not stop at each: one call costs a
/// third of the faults. Changes no byte. Where the kernel cannot (before 5.14), nothing happens.
void make_pages(std::span<std::byte> memory) noexcept;

/// Brings the pages of a mapping into memory and into the page table. False when that fails, as when the
/// file has become shorter: then a touch would raise SIGBUS. True where the kernel cannot tell.
bool bring_pages(std::span<const std::byte> mapped) noexcept;

/// The same for a mapping that is to be written to; changes no byte. False also where the kernel cannot tell.
bool bring_pages_to_write(std::span<std::byte> mapped) noexcept;

}  // namespace weighbridge::io
