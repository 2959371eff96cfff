// Several threads over one list of reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace weighbridge::python {

/// A copy of part of something: `bytes` from position `from` on.
struct Piece {
  std::size_t what = 0;
  std::uint64_t from = 0;
  std::uint64_t bytes = 0;
};

/// Large enough that threads rarely meet; a multiple of huge pages and of every element's size.
inline constexpr std::uint64_t kPieceBytes = std::uint64_t{4} << 20;

/// Everything of these sizes, in pieces that are worth a thread's time.
std::vector<Piece> cut_pieces(std::span<const std::uint64_t> sizes);

/// Calls `work` for every piece, on as many threads as pay. The first exception stops the others
/// before their next piece and is thrown when all have returned. The caller holds no GIL.
void run_pieces(std::span<const Piece> pieces, const std::function<void(const Piece&)>& work);

}  // namespace weighbridge::python
