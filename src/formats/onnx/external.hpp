// Data of tensors in files beside the model.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/header.hpp>

#include "formats/onnx/tensor.hpp"

namespace weighbridge::onnx {

/// What is wrong with a location, from best to worst.
enum class LocationFault : std::uint8_t {
  None,
  Empty,
  Subfolder,  ///< In a folder below the model's: legal, and not read here.
  Escapes,    ///< Absolute, or with "..": outside of the model's folder.
  Memory,     ///< An address in the memory of onnxruntime, as it marks its own tensors.
};

/// Judges a location by its text alone. Backslashes and drive letters count as on Windows.
[[nodiscard]] LocationFault judge_location(std::string_view location) noexcept;

/// "of an external location that ...": why it is refused. REQUIRES: fault is not None.
[[nodiscard]] std::string_view fault_text(LocationFault fault) noexcept;

/// The files that the tensors of one model name. One thread.
class ExternalFiles {
 public:
  /// `options` must live as long as this.
  explicit ExternalFiles(const OpenOptions& options) : options_(options) {}

  /// Where `bytes` of data of a tensor lie. Throws MalformedCheckpoint for a location that is none, a file
  /// that is not there and a range that does not fit; Unsupported without a folder; IoError for links.
  [[nodiscard]] TensorData find(const TensorProto& tensor, std::uint64_t bytes);

  /// Size of all files that were opened.
  [[nodiscard]] std::uint64_t total_bytes() const noexcept { return total_bytes_; }
  /// What was odd about them. Empties the list.
  [[nodiscard]] Findings take_findings();

 private:
  struct File {
    SourcePtr source;
    std::optional<Header> header;                    ///< When it is a safetensors file.
    std::map<std::uint64_t, std::uint64_t> tensors;  ///< Of that: begin and end of each in the file.
  };

  File& open(const TensorProto& tensor, const std::string& name);
  void check_place(const TensorProto& tensor, const File& file, std::uint64_t offset, std::uint64_t bytes);
  void note_odd(const TensorProto& tensor);

  const OpenOptions& options_;
  std::map<std::string, File> files_;
  std::uint64_t total_bytes_ = 0;
  std::uint64_t checksums_ = 0;
  std::uint64_t ignored_ = 0;
  std::uint64_t moved_ = 0;
  std::string first_ignored_;
  std::string first_moved_;
};

}  // namespace weighbridge::onnx
