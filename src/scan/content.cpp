#include "scan/content.hpp"

#include <algorithm>
#include <array>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "formats/keras/read.hpp"
#include "formats/safetensors/read.hpp"
#include "formats/tar/archive.hpp"
#include "formats/torch/read.hpp"
#include "formats/zip/archive.hpp"

namespace weighbridge::scanning {
namespace {

struct Kind {
  bool (*detect)(const ByteSource&);
  std::string (*scan)(Scan&, const Content&);
};

/// In the order in which they are tried; what is none of them may still be a pickle.
constexpr std::array kKinds = {
    Kind{safetensors::looks_like, scan_safetensors},
    Kind{zip::looks_like_zip, scan_zip},
    Kind{torch::looks_like_legacy, scan_legacy},
    Kind{tar::looks_like_tar, scan_tar},
    Kind{is_compressed, scan_compressed},
    Kind{is_npy, scan_npy},
    Kind{is_gguf, scan_gguf},
    Kind{is_packed, scan_packed},
    Kind{keras::looks_like_hdf5, scan_hdf5},
    Kind{is_keras_config, scan_keras_config},
    Kind{is_onnx, scan_onnx},
};

std::string scan_detected(Scan& scan, const Content& content) {
  if (content.source->size() == 0) return {};
  for (const Kind& kind : kKinds) {
    if (kind.detect(*content.source)) return kind.scan(scan, content);
  }
  return scan_pickles(scan, content);
}

/// Whether there is anything to be looked into.
bool holds_something(const ByteSource& source) {
  return std::ranges::any_of(kKinds, [&](const Kind& kind) { return kind.detect(source); }) ||
         torch::looks_like_pickle(source);
}

bool ends_with_any(std::string_view name, std::span<const std::string_view> suffixes) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::any_of(suffixes, [&](std::string_view suffix) { return folded.ends_with(suffix); });
}

constexpr auto kPickleSuffixes = std::to_array<std::string_view>({".pkl", ".pickle", ".p"});

constexpr auto kCheckpointSuffixes = std::to_array<std::string_view>(
    {".pt",       ".pth",   ".bin",         ".ckpt", ".pkl",    ".pickle", ".p",   ".th",  ".t7",
     ".tar",      ".model", ".dat",         ".data", ".joblib", ".npy",    ".npz", ".jit", ".ot",
     ".pdparams", ".pdopt", ".safetensors", ".h5",   ".hdf5",   ".keras",  ".gguf"});

}  // namespace

void Scan::charge(std::uint64_t bytes) {
  if (bytes > work_left || work_left == 0) {
    work_left = 0;
    throw Error(ErrorCode::LimitExceeded, "unpacked, the file is out of all proportion to its size");
  }
  work_left -= bytes;
}

Content inside(const Content& outer, SourcePtr source, std::string_view name) {
  // Enough to find the entry by; a thousand findings must not repeat a name of 64 KiB each.
  constexpr std::size_t kMostName = 255;
  return {.source = std::move(source),
          .place = fmt::format("{}!{}", outer.place, name.substr(0, kMostName)),
          .name = std::string(name),
          .depth = outer.depth + 1};
}

std::string scan_content(Scan& scan, const Content& content) {
  try {
    scan.charge(0);
    if (content.depth > scan.limits.archive_depth && holds_something(*content.source)) {
      throw Error(ErrorCode::LimitExceeded, fmt::format("lies {} containers deep, {} are looked into",
                                                        content.depth, scan.limits.archive_depth));
    }
    return scan_detected(scan, content);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::IoError && error.system_error() != 0) throw;
    scan.evidence.add(ScanFinding{.verdict = Verdict::Malformed,
                                  .code = std::string(error_code_name(error.code())),
                                  .message = error.what(),
                                  .place = content.place,
                                  .offset = error.offset()});
    return {};
  }
}

std::string read_head(const ByteSource& source, std::uint64_t most) {
  std::string head(std::min(source.size(), most), '\0');
  source.read_at(0, std::as_writable_bytes(std::span(head)));
  return head;
}

bool names_pickle(std::string_view name) noexcept { return ends_with_any(name, kPickleSuffixes); }
bool names_checkpoint(std::string_view name) noexcept { return ends_with_any(name, kCheckpointSuffixes); }

}  // namespace weighbridge::scanning
