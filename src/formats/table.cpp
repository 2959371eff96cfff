// Every format that is read, in the order in which they are tried.
#include <algorithm>
#include <array>
#include <string_view>

#include <weighbridge/checkpoint.hpp>

#include <fmt/format.h>

#include "formats/detect.hpp"
#include "formats/safetensors/read.hpp"
#include "formats/torch/read.hpp"
#include "formats/zip/archive.hpp"

namespace weighbridge {
namespace {

struct Format {
  std::string_view name;
  bool (*detect)(const ByteSource&);
  Checkpoint (*read)(SourcePtr, const OpenOptions&);
};

bool is_foreign(const ByteSource& source) { return find_foreign_format(source).has_value(); }

Checkpoint refuse_foreign(SourcePtr source, const OpenOptions& /*options*/) {
  throw find_foreign_format(*source).value();
}

/// safetensors stands first because its length field can look like the magic number of another
/// format; bare pickles stand last because a single byte makes one possible.
constexpr std::array kFormats = {
    Format{"safetensors", safetensors::looks_like, safetensors::read},
    Format{"torch-zip", zip::looks_like_zip, torch::read_zip},
    Format{"torch-legacy", torch::looks_like_legacy, torch::read_legacy},
    Format{"foreign", is_foreign, refuse_foreign},
    Format{"pickle", torch::looks_like_pickle, torch::read_raw},
};

const Format* find_row(const ByteSource& source) {
  const auto found =
      std::ranges::find_if(kFormats, [&](const Format& candidate) { return candidate.detect(source); });
  return found == kFormats.end() ? nullptr : &*found;
}

/// The file that stands for a folder: the metadata of a distributed checkpoint.
std::filesystem::path main_file(const std::filesystem::path& path) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  if (!std::filesystem::is_directory(path, ignored)) return path;
  if (std::filesystem::exists(path / ".metadata", ignored)) return path / ".metadata";
  throw Error(ErrorCode::UnknownFormat, fmt::format("'{}' is a folder, a file is needed", path.string()));
}

}  // namespace

std::optional<std::string_view> find_format(const ByteSource& source) {
  const Format* format = find_row(source);
  if (format == nullptr || format->read == refuse_foreign) return std::nullopt;
  return format->name;
}

Checkpoint read_checkpoint(SourcePtr source, const OpenOptions& options) {
  const Format* format = find_row(*source);
  if (format == nullptr) throw unknown_format(*source);
  const std::uint64_t bytes = source->size();
  Checkpoint checkpoint = format->read(std::move(source), options);
  checkpoint.source_bytes += bytes;  // files beside it are counted already
  return checkpoint;
}

Checkpoint open_checkpoint(const std::filesystem::path& path, const OpenOptions& options) {
  const std::filesystem::path file = main_file(path);
  OpenOptions with_folder = options;
  if (!with_folder.folder) with_folder.folder = open_input_folder(file.parent_path(), options.mode);
  return read_checkpoint(open_file(file, options.mode), with_folder);
}

}  // namespace weighbridge
