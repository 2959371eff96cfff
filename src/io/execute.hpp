// Carrying a plan out, and checking that it was.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <weighbridge/write.hpp>

#include "io/frontier.hpp"
#include "io/progress.hpp"
#include "io/sink.hpp"

namespace weighbridge::io {

/// The memory of all lanes; nothing else of size is allocated. Untouched parts cost nothing.
class LaneBuffers {
 public:
  LaneBuffers(unsigned lanes, std::uint64_t bytes);
  [[nodiscard]] std::span<std::byte> of(unsigned lane) const { return {buffers_[lane].get(), bytes_}; }

 private:
  std::vector<std::unique_ptr<std::byte[]>> buffers_;
  std::uint64_t bytes_;
};

/// Moves all bytes of the plan into `sink` on up to `threads` threads (0: as many as pay). One thread writes
/// from front to back, and tells `frontier`, if there is one, how far it is.
WriteReport carry_out(const FilePlan& plan, Sink& sink, unsigned threads, ProgressMeter& meter,
                      Frontier* frontier = nullptr);

/// Compares `written`, byte for byte, with what the plan says. Throws VerificationFailed.
void verify_written(const FilePlan& plan, const ByteSource& written, unsigned threads, ProgressMeter& meter);

/// The same on one thread while `written`, whose size is not looked at, is written by another. Returns when
/// all of it has been compared, or when no more will be written.
void compare_behind(const FilePlan& plan, const ByteSource& written, ProgressMeter& meter,
                    Frontier& frontier);

/// Throws VerificationFailed when `written` has another size than the plan.
void check_size(const FilePlan& plan, const ByteSource& written);

}  // namespace weighbridge::io
