// Every format that is read, in the order in which they are tried.
#include <algorithm>
#include <array>
#include <string_view>

#include <weighbridge/checkpoint.hpp>

#include "formats/compressed/compressed.hpp"
#include "formats/compressed/read.hpp"
#include "formats/detect.hpp"
#include "formats/flax/read.hpp"
#include "formats/gguf/read.hpp"
#include "formats/keras/read.hpp"
#include "formats/numpy/npy.hpp"
#include "formats/onnx/read.hpp"
#include "formats/safetensors/read.hpp"
#include "formats/sharded/index.hpp"
#include "formats/sharded/read.hpp"
#include "formats/tar/archive.hpp"
#include "formats/tar/read.hpp"
#include "formats/tensorflow/read.hpp"
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
/// format; ONNX has no magic number and stands behind those that have one; bare pickles stand last because
/// a single byte makes one possible.
constexpr std::array kFormats = {
    Format{"safetensors", safetensors::looks_like, safetensors::read},
    Format{"keras", keras::looks_like_archive, keras::read_archive},
    Format{"npz", torch::looks_like_npz, torch::read_npz},
    Format{"torch-zip", zip::looks_like_zip, torch::read_zip},
    Format{"torch-legacy", torch::looks_like_legacy, torch::read_legacy},
    Format{"npy", numpy::looks_like_npy, torch::read_npy},
    Format{"gguf", gguf::looks_like_gguf, gguf::read},
    Format{"tensorflow", tensorflow::looks_like_index, tensorflow::read},
    Format{"tar", tar::looks_like_tar, tar::read},
    Format{"compressed", compressed::looks_like_compressed, compressed::read},
    Format{"keras-sharded", keras::looks_like_weights_index, keras::read_weights_index},
    Format{"sharded", sharded::looks_like_index, sharded::read},
    Format{"hdf5", keras::looks_like_hdf5, keras::read_hdf5},
    Format{"onnx", onnx::looks_like_model, onnx::read},
    Format{"foreign", is_foreign, refuse_foreign},
    Format{"flax", flax::looks_like_flax, flax::read},
    Format{"pickle", torch::looks_like_pickle, torch::read_raw},
};

const Format* find_row(const ByteSource& source) {
  const auto found =
      std::ranges::find_if(kFormats, [&](const Format& candidate) { return candidate.detect(source); });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string_view> find_format(const ByteSource& source) {
  const Format* format = find_row(source);
  if (format == nullptr || format->read == refuse_foreign) return std::nullopt;
  const auto codec = compressed::find_codec(source);
  return format->read == compressed::read && codec ? compressed::codec_name(*codec) : format->name;
}

Checkpoint read_checkpoint(SourcePtr source, const OpenOptions& options) {
  const Format* format = find_row(*source);
  if (format == nullptr) throw unknown_format(*source);
  const std::uint64_t bytes = source->size();
  Checkpoint checkpoint = format->read(std::move(source), options);
  // A container leaves what it held, a folder of pieces all of them.
  if (checkpoint.source_bytes == 0) checkpoint.source_bytes = bytes;
  return checkpoint;
}

Checkpoint open_checkpoint(const std::filesystem::path& path, const OpenOptions& options) {
  std::error_code ignored;  // what cannot be looked at is reported when it is opened
  const bool is_folder = std::filesystem::is_directory(path, ignored);
  OpenOptions with_folder = options;
  if (!with_folder.folder) {
    with_folder.folder =
        open_input_folder(is_folder ? checkpoint_folder(path) : path.parent_path(), options.mode);
  }
  FoundInput input;
  if (is_folder) {
    input = find_input(*with_folder.folder);
  } else {
    input = {.name = path.filename().string(), .source = open_file(path, options.mode)};
  }
  if (with_folder.input_name.empty()) with_folder.input_name = std::move(input.name);
  return read_checkpoint(std::move(input.source), with_folder);
}

}  // namespace weighbridge
