// Conversion from end to end: read, passes, plan, execute, verify.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/folder.hpp>
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

/// One file of an output.
struct OutputFile {
  std::string name;  ///< In the output's folder.
  FilePlan plan;
};

/// A conversion that is decided but not yet carried out; printable, for --dry-run.
struct Conversion {
  Checkpoint checkpoint;          ///< After all passes.
  std::vector<OutputFile> files;  ///< The tensors first, then what stands beside them.
};

struct ConvertReport {
  WriteReport write;  ///< Of all files together.
  Findings findings;  ///< Of reading, passes and writing.
};

/// Throws DangerousContent, naming the first finding of Severity::Danger and how many more there are;
/// does nothing when there is none. For programs that use a Checkpoint without converting it.
WB_EXPORT void refuse_dangerous(const Findings& findings);

/// Reads and plans; writes nothing. `output` is the name of the file with the tensors, from which
/// the names of the files beside it are made. Throws DangerousContent, NoTensors, and all that
/// read_checkpoint, share_tensors and plan_safetensors throw.
WB_EXPORT Conversion plan_conversion(SourcePtr input, const std::string& output,
                                     const ConvertOptions& options = {});

/// Carries it out: all files appear when all of them are complete.
WB_EXPORT ConvertReport write_conversion(const Conversion& conversion, OutputFolder& folder,
                                         const ConvertOptions& options = {});

/// Both. An existing output is refused before the input is opened, unless options.write.overwrite.
WB_EXPORT ConvertReport convert(const std::filesystem::path& input, const std::filesystem::path& output,
                                const ConvertOptions& options = {});

}  // namespace weighbridge
