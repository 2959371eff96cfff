// Folders as conversions see them: the files beside an input that it may name, and the files that
// an output consists of.
//
// Both are interfaces so that a process without any right to open files can be given its files by
// another one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/export.hpp>

namespace weighbridge {

struct WriteOptions;

/// What becomes of a symbolic link among the files beside an input.
enum class Links : std::uint8_t {
  Refuse,
  Follow,  ///< For shards, which download caches keep as links.
};

/// Whether `name` names a file in a folder and nothing else: not empty, not "." or "..", without
/// '/', '\' and NUL, at most 255 bytes.
WB_EXPORT bool is_plain_file_name(std::string_view name) noexcept;

/// The folder of an input. All functions may be called by several threads at once.
class WB_EXPORT InputFolder {
 public:
  InputFolder() = default;
  InputFolder(const InputFolder&) = delete;
  InputFolder& operator=(const InputFolder&) = delete;
  virtual ~InputFolder();

  /// The regular file of that name, or null when there is none. Never leaves the folder but
  /// through a link that is to be followed.
  /// Throws MalformedCheckpoint unless is_plain_file_name(name), IoError for anything but a
  /// regular file and for a file that cannot be opened.
  [[nodiscard]] virtual SourcePtr find(std::string_view name, Links links = Links::Refuse) const = 0;
};

using InputFolderPtr = std::shared_ptr<const InputFolder>;

/// A folder of the file system; an empty path is the current one. Files are opened when they are asked for.
WB_EXPORT InputFolderPtr open_input_folder(const std::filesystem::path& folder,
                                           ReadMode mode = ReadMode::Auto);

/// Where in a folder a checkpoint is to be looked for: `variables` of a SavedModel of TensorFlow, the folder
/// itself of any other. Looks at names only.
WB_EXPORT std::filesystem::path checkpoint_folder(const std::filesystem::path& folder);

/// The checkpoint that a folder holds: the metadata of a distributed one, the index of shards or of a
/// SavedModel's variables or, without these, a single file of a known name.
struct FoundInput {
  std::string name;
  SourcePtr source;
};
/// Throws UnknownFormat when there is none, and what InputFolder::find throws.
WB_EXPORT FoundInput find_input(const InputFolder& folder);

/// The folder of an output of one or more files. One thread.
class WB_EXPORT OutputFolder {
 public:
  OutputFolder() = default;
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;
  /// Files that were not committed are gone; those that they would have replaced are untouched.
  virtual ~OutputFolder();

  /// A new, empty regular file, open for reading and writing, that will be called `name` once
  /// commit() has run. The descriptor is borrowed: it lives as long as this object.
  /// Throws OutputExists, InvalidArgument unless is_plain_file_name(name), IoError.
  [[nodiscard]] virtual int create(std::string_view name) = 0;

  /// Gives all files their names, one by one, when all are complete. At most once.
  ///
  /// Each name stands for its old file or its new one, whole, at every moment, however the process ends. Of
  /// several files, those that describe others (indexes and sidecars: `*.json`) come last, and old ones are
  /// taken away before the first other file is replaced: what such a file says is never about other files
  /// than those beside it. A process that is killed in between leaves whole files of both outputs and no
  /// description. Throws OutputExists when somebody else was faster, IoError.
  virtual void commit() = 0;
};

/// A folder of the file system; an empty path is the current one. `options` says whether files are
/// replaced and how durable they are made.
WB_EXPORT std::unique_ptr<OutputFolder> open_output_folder(const std::filesystem::path& folder,
                                                           const WriteOptions& options);

}  // namespace weighbridge
