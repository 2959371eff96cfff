// A piece of work that the suite measures: prepared, done, listed, dropped.
#pragma once

#include <memory>
#include <span>
#include <string>

namespace bench {

class Work {
 public:
  Work() = default;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  virtual ~Work() = default;

  /// What is on the clock. Its result stays until drop().
  virtual void run() = 0;
  /// Lets go of the result, on a clock of its own.
  virtual void drop() = 0;
  /// What came out, as lines; equal for equal results. Called between run() and drop(), off the clock.
  [[nodiscard]] virtual std::string listing() const = 0;
};

using Arguments = std::span<const std::string>;
using WorkPtr = std::unique_ptr<Work>;

/// Prepares the work of that name. Throws std::invalid_argument for one that there is not.
WorkPtr make_work(const std::string& name, Arguments arguments);

WorkPtr make_open(Arguments arguments);          // REPEAT WARM_FILE FILE...: open, check and index each file
WorkPtr make_open_in_turn(Arguments arguments);  // the same, each let go before the next
WorkPtr make_open_alone(Arguments arguments);    // WARM_FILE FILE: the same by one thread
WorkPtr make_read(Arguments arguments);       // REPEAT FILE: read the bytes of its header, and nothing more
WorkPtr make_keep(Arguments arguments);       // REPEAT FILE: the same into new memory, which is kept
WorkPtr make_parse(Arguments arguments);      // FILE: open, check and index it from memory
WorkPtr make_serialize(Arguments arguments);  // COUNT: lay out and serialise the header of so many tensors
WorkPtr make_column(Arguments arguments);     // FILE: an eighth of the columns of every tensor
WorkPtr make_copy_columns(
    Arguments arguments);  // FILE ROW BEGIN BYTES: map it, and copy so much of each row into new memory
WorkPtr make_device_read(
    Arguments arguments);  // FILE REQUEST AT_ONCE: all of it past the page cache, so many bytes a request
WorkPtr make_device_write(Arguments arguments);  // FILE BYTES REQUEST AT_ONCE [own]: so many new ones, each
                                                 // request from its own memory
WorkPtr make_fill(Arguments arguments);          // FILE AT_ONCE: map it, and have all of it in the page cache
WorkPtr make_checkpoint(
    Arguments arguments);  // FILE: read a checkpoint of any format and plan its conversion

}  // namespace bench
