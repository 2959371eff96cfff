// What a file would have done to a loader that executes: every name of code in it, wherever it lies.
//
// Nothing is executed, unpacked to disk or looked up elsewhere. The rules of the verdicts are those of
// docs/security.md; a list of dangerous names can never be complete, and no part of a conversion's
// safety rests on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/limits.hpp>

namespace weighbridge {

/// What is to be thought of a file, from best to worst: that of a file is the worst of all that was
/// found in it.
enum class Verdict : std::uint8_t {
  Clean,          ///< Every name is known to build data.
  NotCheckpoint,  ///< Nothing in it is a format of checkpoints.
  Unknown,        ///< It names a class or function that is not known.
  Malformed,      ///< It breaks a format's rules or a limit, as attempts to hide something do.
  Dangerous,      ///< A loader that executes could be made to run code, touch files or the network.
};

/// "clean", "not a checkpoint", "unknown", "malformed", "dangerous".
WB_EXPORT std::string_view verdict_name(Verdict verdict) noexcept;
/// The verdict of that name, if there is one.
WB_EXPORT std::optional<Verdict> find_verdict(std::string_view name) noexcept;

/// A name of code in a pickle, once for every stream that uses it.
struct ScannedGlobal {
  Verdict verdict = Verdict::Clean;  ///< Clean, Unknown or Dangerous.
  std::string module = {};           ///< As normalised: __builtin__ is builtins, and so on.
  std::string name = {};
  std::string reason = {};   ///< Why it matters, in a few words.
  std::string place = {};    ///< "model.zip!policy.pth!archive/data.pkl"
  std::uint64_t offset = 0;  ///< Byte of `place` where the first opcode that names it stands.
  std::uint64_t uses = 1;    ///< Opcodes that name it.
};

/// Anything else that was noticed.
struct ScanFinding {
  Verdict verdict = Verdict::Clean;  ///< What it makes of the file; Clean: worth knowing only.
  std::string code = {};     ///< Stable PascalCase name: an error_code_name or one of docs/cli.md's list.
  std::string message = {};  ///< Complete in itself, but for the place.
  std::string place = {};
  std::optional<std::uint64_t> offset = {};  ///< Byte of `place`.
};

struct ScanReport {
  std::string name = {};    ///< As given by the options.
  std::string format = {};  ///< Of the whole file, e.g. "torch-zip"; empty when it is not known.
  Verdict verdict = Verdict::Clean;
  std::uint64_t bytes = 0;
  std::uint64_t pickles = 0;  ///< Streams that were run.
  std::vector<ScannedGlobal> globals = {};
  std::vector<ScanFinding> findings = {};
  std::uint64_t omitted = 0;  ///< Globals and findings beyond limits.findings; they count in the verdict.
};

class Hdf5Library;

struct ScanOptions {
  std::string name =
      "input";  ///< Of the file: the places begin with it, and its suffix says what it claims to be.
  /// limits.archive_depth says how deep archives within archives are looked into.
  Limits limits = {};
  /// Parses HDF5 files, as in OpenOptions. Null: that they were not looked into is a finding.
  const Hdf5Library* hdf5 = nullptr;
};

/// Looks into everything that a loader of checkpoints could be made to unpickle. Damage is an answer, not
/// an error: throws IoError alone, when `source` cannot be read.
WB_EXPORT ScanReport scan(SourcePtr source, const ScanOptions& options = {});

}  // namespace weighbridge
