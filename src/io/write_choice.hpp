// How bytes get to the disk: a choice from facts alone.
#pragma once

#include <cstdint>
#include <string>

#include <weighbridge/write.hpp>

namespace weighbridge::io {

struct WriteFacts {
  bool durable = false;
  bool local = false;      ///< On a disk of this machine.
  bool mappable = false;   ///< Its space is taken, and no write through a mapping can raise SIGBUS.
  bool may_share = false;  ///< Blocks with other files, where the kernel copies.
  unsigned threads = 1;
  bool threads_asked = false;          ///< For just so many.
  std::uint64_t bytes = 0;             ///< In all.
  std::uint64_t from_files = 0;        ///< Of these, what lies in a file as it shall lie in the output.
  std::uint64_t from_local_files = 0;  ///< Of these, what is on a disk of this machine.
};

struct WriteChoice {
  WriteMethod method = WriteMethod::Cached;  ///< Never Auto.
  std::string why = {};
  bool one_thread = false;  ///< More would take longer.
};

WriteChoice choose_write(WriteMethod asked, const WriteFacts& facts);

/// `descriptor` is the output's; `space_taken`: all of it. Looks at every step of the plan where that
/// matters.
WriteFacts write_facts(const FilePlan& plan, int descriptor, bool space_taken, const WriteOptions& options);

}  // namespace weighbridge::io
