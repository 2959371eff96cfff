#include "formats/torch/dcp_reader.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "base/text.hpp"
#include "formats/torch/dcp_extras.hpp"
#include "formats/torch/dcp_metadata.hpp"
#include "formats/torch/read.hpp"
#include "formats/torch/tiles.hpp"

namespace weighbridge::torch {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(ErrorCode::MalformedCheckpoint, fmt::format("'{}': {}", printable(name), what), name);
}

class Reader {
 public:
  Reader(Findings findings, const OpenOptions& options) : options_(options), findings_(std::move(findings)) {
    // A piece is one tensor or object: nothing is chosen in it.
    piece_options_ = options;
    piece_options_.key = ".";
  }

  Checkpoint run(const DcpMetadata& metadata) {
    Checkpoint checkpoint;
    checkpoint.format = "torch-dcp";
    checkpoint.metadata = Metadata{{"format", "pt"}};
    checkpoint.tensors.reserve(metadata.tensors.size());
    for (const DcpTensor& tensor : metadata.tensors) checkpoint.tensors.push_back(read_tensor(tensor));
    std::vector<NamedExtras> extras;
    for (const DcpObject& object : metadata.objects) read_object(object, checkpoint, extras);
    check_names(checkpoint);
    checkpoint.candidates = {{.path = ".", .tensors = checkpoint.tensors.size()}};
    checkpoint.extras = make_dcp_extras(std::move(extras));
    for (const auto& [name, file] : files_) checkpoint.source_bytes += file->size();
    checkpoint.findings = std::move(findings_);
    return checkpoint;
  }

 private:
  SourcePtr get_file(const std::string& name, const std::string& file) {
    if (const auto found = files_.find(file); found != files_.end()) return found->second;
    if (!options_.folder) {
      throw Error(ErrorCode::IoError,
                  fmt::format("'{}' is in '{}', and there is no folder to find it in", printable(name),
                              printable(file)),
                  name);
    }
    SourcePtr source = options_.folder->find(file);
    if (!source) {
      throw Error(ErrorCode::IoError,
                  fmt::format("'{}' is in '{}', which is missing", printable(name), printable(file)), name);
    }
    return files_.emplace(file, std::move(source)).first->second;
  }

  Checkpoint read_piece(const std::string& name, const DcpRange& range) {
    const SourcePtr file = get_file(name, range.file);
    if (!range_fits(range.offset, range.bytes, file->size())) {
      refuse(name, fmt::format("{} bytes at {} leave '{}', which has {}", range.bytes, range.offset,
                               printable(range.file), file->size()));
    }
    Checkpoint piece = read_zip(sub_source(file, range.offset, range.bytes), piece_options_);
    keep_findings(piece.findings, name);
    return piece;
  }

  /// Each once: every piece is an archive of its own, and all were written by one program.
  void keep_findings(const Findings& found, const std::string& name) {
    for (const Finding& finding : found) {
      if (finding.severity == Severity::Info) continue;
      if (!seen_.insert(finding.code + '\n' + finding.subject).second) continue;
      findings_.push_back(finding);
      findings_.back().message = fmt::format("in '{}': {}", printable(name), finding.message);
    }
  }

  TensorEntry read_tensor(const DcpTensor& tensor) {
    if (!tensor.type->dtype) {
      throw Error(
          ErrorCode::Unsupported,
          fmt::format("'{}': {} in a distributed checkpoint", printable(tensor.name), tensor.type->name),
          tensor.name);
    }
    std::vector<Tile> tiles;
    tiles.reserve(tensor.chunks.size());
    for (const DcpChunk& chunk : tensor.chunks) tiles.push_back(read_chunk(tensor, chunk));
    return join_tiles({.name = tensor.name, .dtype = *tensor.type->dtype, .shape = tensor.shape},
                      std::move(tiles));
  }

  Tile read_chunk(const DcpTensor& tensor, const DcpChunk& chunk) {
    Checkpoint piece = read_piece(tensor.name, chunk.range);
    if (piece.tensors.size() != 1) {
      refuse(tensor.name, fmt::format("a piece of it holds {} tensors, one needed", piece.tensors.size()));
    }
    TensorEntry& entry = piece.tensors.front();
    if (entry.spec.shape != chunk.sizes) {
      refuse(tensor.name, fmt::format("a piece of it has the shape {}, {} needed",
                                      shape_text(entry.spec.shape), shape_text(chunk.sizes)));
    }
    return {.offsets = chunk.offsets, .tensor = std::move(entry)};
  }

  /// An object may hold tensors of its own, as the state of a random number generator does.
  void read_object(const DcpObject& object, Checkpoint& checkpoint, std::vector<NamedExtras>& extras) {
    Checkpoint piece = read_piece(object.name, object.range);
    for (TensorEntry& entry : piece.tensors) {
      const bool alone = piece.tensors.size() == 1 && entry.spec.name == "tensor";
      entry.spec.name = alone ? object.name : object.name + "." + entry.spec.name;
      checkpoint.tensors.push_back(std::move(entry));
    }
    if (piece.extras && piece.extras->count() > 0) extras.push_back({object.name, piece.extras});
  }

  static void check_names(const Checkpoint& checkpoint) {
    std::set<std::string_view> names;
    for (const TensorEntry& entry : checkpoint.tensors) {
      if (names.insert(entry.spec.name).second) continue;
      throw Error(ErrorCode::NameCollision,
                  fmt::format("two tensors are named '{}'", printable(entry.spec.name)), entry.spec.name);
    }
  }

  const OpenOptions& options_;
  OpenOptions piece_options_;
  Findings findings_;
  std::set<std::string> seen_;
  std::map<std::string, SourcePtr> files_;
};

}  // namespace

Checkpoint read_dcp(const Document& metadata, Findings findings, const OpenOptions& options) {
  if (options.key && *options.key != ".") {
    throw Error(ErrorCode::InvalidArgument, "a distributed checkpoint has no sub-trees to choose from");
  }
  return Reader(std::move(findings), options).run(parse_dcp_metadata(metadata, options.limits));
}

}  // namespace weighbridge::torch
