#include <cstring>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {

// One line a code; the compiler warns when one is missing.
// NOLINTNEXTLINE(readability-function-size)
std::string_view error_code_name(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::HeaderTooSmall:
      return "HeaderTooSmall";
    case ErrorCode::HeaderTooLarge:
      return "HeaderTooLarge";
    case ErrorCode::InvalidHeaderLength:
      return "InvalidHeaderLength";
    case ErrorCode::InvalidHeader:
      return "InvalidHeader";
    case ErrorCode::InvalidHeaderDeserialization:
      return "InvalidHeaderDeserialization";
    case ErrorCode::DuplicateKey:
      return "DuplicateKey";
    case ErrorCode::InvalidOffset:
      return "InvalidOffset";
    case ErrorCode::TensorInvalidInfo:
      return "TensorInvalidInfo";
    case ErrorCode::ValidationOverflow:
      return "ValidationOverflow";
    case ErrorCode::MisalignedSlice:
      return "MisalignedSlice";
    case ErrorCode::MetadataIncompleteBuffer:
      return "MetadataIncompleteBuffer";
    case ErrorCode::ReservedName:
      return "ReservedName";
    case ErrorCode::TensorNotFound:
      return "TensorNotFound";
    case ErrorCode::TooManySlices:
      return "TooManySlices";
    case ErrorCode::SliceOutOfRange:
      return "SliceOutOfRange";
    case ErrorCode::InvalidSlice:
      return "InvalidSlice";
    case ErrorCode::UnknownFormat:
      return "UnknownFormat";
    case ErrorCode::Unsupported:
      return "Unsupported";
    case ErrorCode::MalformedArchive:
      return "MalformedArchive";
    case ErrorCode::MalformedPickle:
      return "MalformedPickle";
    case ErrorCode::MalformedCheckpoint:
      return "MalformedCheckpoint";
    case ErrorCode::TensorOutOfBounds:
      return "TensorOutOfBounds";
    case ErrorCode::NoTensors:
      return "NoTensors";
    case ErrorCode::NameCollision:
      return "NameCollision";
    case ErrorCode::SharedTensors:
      return "SharedTensors";
    case ErrorCode::DangerousContent:
      return "DangerousContent";
    case ErrorCode::LimitExceeded:
      return "LimitExceeded";
    case ErrorCode::IoError:
      return "IoError";
    case ErrorCode::OutputExists:
      return "OutputExists";
    case ErrorCode::VerificationFailed:
      return "VerificationFailed";
    case ErrorCode::Cancelled:
      return "Cancelled";
    case ErrorCode::InvalidArgument:
      return "InvalidArgument";
    case ErrorCode::WorkerStopped:
      return "WorkerStopped";
  }
  return "Unknown";
}

ErrorClass error_class(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::InvalidArgument:
    case ErrorCode::InvalidSlice:
    case ErrorCode::OutputExists:
      return ErrorClass::Usage;
    case ErrorCode::IoError:
    case ErrorCode::VerificationFailed:
      return ErrorClass::Io;
    case ErrorCode::DangerousContent:
      return ErrorClass::Dangerous;
    case ErrorCode::Cancelled:
      return ErrorClass::Cancelled;
    default:
      return ErrorClass::BadInput;
  }
}

Error::Error(ErrorCode code, const std::string& message, std::string subject,
             std::optional<std::uint64_t> offset, int system_error)
    : std::runtime_error(message),
      code_(code),
      subject_(std::move(subject)),
      offset_(offset),
      system_error_(system_error) {}

Error::~Error() = default;

Error Error::from_errno(int errno_value, std::string_view action, std::string_view path) {
  return {ErrorCode::IoError,
          fmt::format("cannot {} '{}': {}", action, printable(path), std::strerror(errno_value)),
          std::string(path), std::nullopt, errno_value};
}

std::string_view severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::Info:
      return "info";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
    case Severity::Danger:
      return "danger";
  }
  return "error";
}

}  // namespace weighbridge
