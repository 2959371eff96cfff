// Conversion from end to end: read, passes, plan, execute, verify.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

struct ConvertOptions {
  OpenOptions open;
  SharedPolicy shared = SharedPolicy::Dedupe;
  HeaderStyle style;
  WriteOptions write;
  bool allow_dangerous = false;  ///< Convert although the file names dangerous code; it never runs.
  bool allow_empty = false;      ///< A file without tensors gives a file without tensors.
  bool sidecar = false;          ///< Write everything that is no tensor to <output>.meta.json.
};

/// A conversion that is decided but not yet carried out; printable, for --dry-run.
struct Conversion {
  Checkpoint checkpoint;  ///< After all passes.
  FilePlan plan;
};

struct ConvertReport {
  WriteReport write;
  Findings findings;                             ///< Of reading, passes and writing.
  std::optional<std::filesystem::path> sidecar;  ///< Where it was written.
};

/// Throws DangerousContent, naming the first finding of Severity::Danger and how many more there are;
/// does nothing when there is none. For programs that use a Checkpoint without converting it.
WB_EXPORT void refuse_dangerous(const Findings& findings);

/// Reads and plans; writes nothing. Throws DangerousContent, NoTensors, and all that
/// read_checkpoint, share_tensors and plan_safetensors throw.
WB_EXPORT Conversion plan_conversion(SourcePtr input, const ConvertOptions& options = {});

/// Carries it out into a file.
WB_EXPORT ConvertReport write_conversion(const Conversion& conversion, const std::filesystem::path& output,
                                         const ConvertOptions& options = {});

/// Both. An existing output is refused before the input is opened, unless options.write.overwrite.
WB_EXPORT ConvertReport convert(const std::filesystem::path& input, const std::filesystem::path& output,
                                const ConvertOptions& options = {});

}  // namespace weighbridge
