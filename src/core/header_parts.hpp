// A long header, read at several places at once.
//
// Where a member begins in the middle of a text can only be guessed: what looks like the end of one may
// stand in a name. A guess holds when the part in front of it comes to end there. What was read from one
// that does not hold is dropped; so the outcome is that of one reader who begins at the front.
#pragma once

#include <cstddef>
#include <functional>
#include <memory_resource>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>

#include "core/header_data.hpp"
#include "core/header_room.hpp"
#include "core/header_stream.hpp"

namespace weighbridge {

/// Who reads the parts; nobody but the caller by default.
struct HeaderCrew {
  /// How many of so many jobs can be done at the same time: at least one.
  using CountLanes = std::function<unsigned(std::size_t jobs)>;
  /// Calls `work(i)` for every i below `jobs`, at the same time where that can be, and throws what it throws.
  using RunJobs = std::function<void(std::size_t jobs, const std::function<void(std::size_t i)>& work)>;

  CountLanes lanes = {};
  RunJobs run = {};
  std::size_t least_bytes = std::size_t{1} << 19;  ///< Shorter parts are not worth a thread's start.
};

/// As read_header, by all of the crew. The file and the memory are used by all of it at once.
Header read_header_by(const HeaderCrew& crew, const ByteSource& file, const Limits& limits,
                      std::pmr::memory_resource& memory);

/// Takes what HeaderStream takes of the text, by all of the crew.
Streamed stream_header(const ByteSource& file, std::size_t length, const Limits& limits, HeaderRoom& room,
                       Header::Data& data, const HeaderCrew& crew, StreamWindow window = {});

}  // namespace weighbridge
