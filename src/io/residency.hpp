// How much of a file is in memory already, and how much memory there is.
#pragma once

#include <cstdint>
#include <optional>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::io {

/// The share of [offset, offset + length) of `source` that is in the page cache, 0 to 1; nothing where the
/// system does not tell. Exact up to 16 MiB where the kernel counts (Linux 6.5), otherwise from a sample: to
/// count a GiB in small pieces takes the kernel longer than to copy 8 MiB.
std::optional<double> resident_share(const ByteSource& source, std::uint64_t offset, std::uint64_t length);

/// The same of an open file, always exact; nothing where the kernel does not count.
std::optional<double> resident_share(int descriptor, std::uint64_t offset, std::uint64_t length) noexcept;

/// Bytes that programs can have without making others wait; nothing where the system does not tell.
std::optional<std::uint64_t> available_memory();

}  // namespace weighbridge::io
