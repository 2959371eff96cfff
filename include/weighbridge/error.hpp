// Errors and findings: the two ways in which the library tells what is wrong with an input.
//
// An Error ends the operation; a Finding is something noticed along the way. Both say what was
// found, what was needed and where. Nothing in the library prints, aborts or exits.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/export.hpp>

namespace weighbridge {

/// Why an operation failed. Names shared with the safetensors reference mean what they mean there.
/// Values are never renumbered.
enum class ErrorCode : std::uint16_t {
  // The header of a safetensors file.
  HeaderTooSmall = 0,                ///< The file ends before the 8-byte header length.
  HeaderTooLarge = 1,                ///< The header length is above the limit.
  InvalidHeaderLength = 2,           ///< The header would end behind the end of the file.
  InvalidHeader = 3,                 ///< The header is not valid UTF-8.
  InvalidHeaderDeserialization = 4,  ///< The header is not the JSON that the format asks for.
  DuplicateKey = 5,                  ///< A tensor name, metadata key or field occurs twice.
  InvalidOffset = 6,                 ///< data_offsets leave a hole, overlap or run backwards.
  TensorInvalidInfo = 7,             ///< data_offsets do not hold what dtype and shape need.
  ValidationOverflow = 8,            ///< A size does not fit 64 bits.
  MisalignedSlice = 9,               ///< Elements of less than a byte do not end on a byte.
  MetadataIncompleteBuffer = 10,     ///< The tensors do not cover the data section exactly.
  ReservedName = 11,                 ///< A tensor is named __metadata__.

  // Access.
  TensorNotFound = 20,
  TooManySlices = 21,  ///< More indices than dimensions.
  SliceOutOfRange = 22,
  InvalidSlice = 23,  ///< The text of a slice cannot be understood.

  // Checkpoints of other formats.
  UnknownFormat = 40,        ///< The content is no format that is read here.
  Unsupported = 41,          ///< Known, and not yet supported; the message says what.
  MalformedArchive = 42,     ///< An archive contradicts itself, or compressed data is damaged.
  MalformedPickle = 43,      ///< A pickle stream that no unpickler could finish.
  MalformedCheckpoint = 44,  ///< Sound container, unsound content.
  TensorOutOfBounds = 45,    ///< A view reaches outside its storage.
  NoTensors = 46,
  NameCollision = 47,     ///< Two tensors would get the same name.
  SharedTensors = 48,     ///< Tensors share bytes and the policy refuses that.
  DangerousContent = 49,  ///< The file names code that a loader would have run.

  // Everything.
  LimitExceeded = 60,  ///< A bound of Limits was reached.
  IoError = 61,        ///< The system call's own text is in the message.
  OutputExists = 62,
  VerificationFailed = 63,  ///< What was written is not what was read.
  Cancelled = 64,
  InvalidArgument = 65,
  WorkerStopped = 66,  ///< The process that reads untrusted files crashed, or tried what it must not.
};

/// The enumerator's own name, e.g. "InvalidOffset": stable, for logs and JSON.
WB_EXPORT std::string_view error_code_name(ErrorCode code) noexcept;

/// Who has to act on an error. The numbers are the exit codes of the command-line tool.
enum class ErrorClass : std::uint8_t {
  BadInput = 1,   ///< The input breaks its format's rules, or a limit.
  Usage = 2,      ///< The caller's arguments, or an output that exists already.
  Io = 3,         ///< A system call failed, or what was written does not read back.
  Dangerous = 4,  ///< Refused: the input names code that a loader would have run.
  Cancelled = 5,
};

WB_EXPORT ErrorClass error_class(ErrorCode code) noexcept;

/// The only exception type that the library throws for bad input, I/O failures and wrong arguments.
/// std::bad_alloc may pass through; sizes read from a file are checked before they are allocated.
class WB_EXPORT Error : public std::runtime_error {
 public:
  /// `message` is complete in itself; `subject` names the tensor, archive entry or global it is about.
  /// `system_error` is the errno of a failed system call; from_errno() also makes the message.
  Error(ErrorCode code, const std::string& message, std::string subject = {},
        std::optional<std::uint64_t> offset = std::nullopt, int system_error = 0);
  ~Error() override;

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// Tensor, entry or global; empty when the error is about the whole input.
  [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
  /// Byte offset in the input where the reason stands, where there is one.
  [[nodiscard]] std::optional<std::uint64_t> offset() const noexcept { return offset_; }
  /// errno of the failed system call, 0 when there was none.
  [[nodiscard]] int system_error() const noexcept { return system_error_; }

  /// An I/O error: "cannot <action> '<path>': <text of errno>".
  [[nodiscard]] static Error from_errno(int errno_value, std::string_view action, std::string_view path);

 private:
  ErrorCode code_;
  std::string subject_;
  std::optional<std::uint64_t> offset_;
  int system_error_;
};

/// How much a finding matters.
enum class Severity : std::uint8_t {
  Info,     ///< Worth knowing.
  Warning,  ///< Legal, and probably not what the author meant.
  Error,    ///< Breaks the format's rules.
  Danger,   ///< Would have run code in a loader that executes pickles.
};

/// "info", "warning", "error" or "danger".
WB_EXPORT std::string_view severity_name(Severity severity) noexcept;

/// Something noticed while reading, checking or writing.
struct Finding {
  Severity severity = Severity::Info;
  std::string code = {};     ///< Stable PascalCase name: an error_code_name or one of docs/cli.md's list.
  std::string message = {};  ///< Complete in itself.
  std::string subject = {};  ///< Tensor, entry or global; may be empty.
  std::optional<std::uint64_t> offset = {};
};

using Findings = std::vector<Finding>;

}  // namespace weighbridge
