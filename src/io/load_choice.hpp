// How a file is to be loaded: facts about it in, a mode and the reason for it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <weighbridge/load.hpp>

namespace weighbridge::io {

/// What the choice rests on.
struct LoadFacts {
  bool file = false;                            ///< Plain bytes of a regular file.
  bool mappable = false;                        ///< Without a copy: a mapping, or memory.
  bool remote = false;                          ///< On a network or user-space file system.
  std::uint64_t wanted = 0;                     ///< Bytes of all steps.
  std::uint64_t wanted_long = 0;                ///< Of these, in ranges that are worth reads of their own.
  std::optional<double> resident = {};          ///< Share of what is wanted that is in the page cache.
  std::optional<std::uint64_t> available = {};  ///< Memory that is free or soon freed.
};

struct LoadChoice {
  LoadMode mode = LoadMode::Copy;
  std::string why;
  /// The kernel is told not to read ahead: what lies between the ranges is not wanted.
  bool exact = false;
};

/// Pure. `asked` is done where it can be; Direct may still turn out not to be had when the file is opened.
LoadChoice choose_mode(LoadMode asked, const LoadFacts& facts);

}  // namespace weighbridge::io
