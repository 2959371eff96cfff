// A file that appears complete or not at all.
//
// The bytes go into a file without a name (O_TMPFILE) in the target's folder, which vanishes with
// the process whatever kills it; where the file system has no such thing, into a hidden file that
// the destructor removes. commit() puts it into the target's place in one step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <weighbridge/write.hpp>

#include <sys/stat.h>

#include "io/descriptor.hpp"

namespace weighbridge::io {

/// What the new file is until it gets the target's name.
enum class Temporary : std::uint8_t {
  Unnamed,  ///< Without a name where the file system can do that.
  Named,    ///< A hidden file beside the target.
};

/// One owner, one thread; the descriptor may be written to by several.
class AtomicFile {
 public:
  /// What a symbolic link points to is the target. Throws OutputExists when there is a target and
  /// no `overwrite`, IoError when the target is no regular file or the folder cannot be written to.
  AtomicFile(const std::filesystem::path& path, bool overwrite, Temporary kind = Temporary::Unnamed);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the new file unless it was committed.
  ~AtomicFile();

  /// Open for reading and writing.
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  /// The path asked for, for messages.
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  /// Takes the file away that is to be replaced, if there is one, before the new one is there. Throws
  /// IoError.
  void remove_old();

  /// Makes the file as durable as asked and gives it its name. At most once.
  /// Throws OutputExists when somebody else was faster and there is no `overwrite`.
  void commit(Durability durability);

 private:
  void examine_target();
  void create(Temporary kind);
  [[nodiscard]] mode_t first_mode() const noexcept;
  bool create_unnamed();
  void create_named();
  void take_over_mode() const;
  void flush(Durability durability) const;
  bool link_as(const std::string& name) const;
  void link_as_temporary();
  void publish_new();
  void publish_over();
  void sync_folder() const;
  [[noreturn]] void refuse_existing() const;

  std::string path_;
  bool overwrite_;
  std::string name_;  ///< Of the target, in its folder.
  Descriptor folder_;
  Descriptor file_;
  std::optional<struct stat> old_;  ///< The file to be replaced.
  std::string temporary_;           ///< Name of the new file in the folder while it has one of its own.
};

}  // namespace weighbridge::io
