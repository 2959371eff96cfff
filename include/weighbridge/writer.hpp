// Writing a safetensors file tensor by tensor: for what does not fit into memory at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <weighbridge/export.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/tensor.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

/// The specs are declared first and decide the file's layout; then every byte of every tensor is
/// written exactly once, in any order and by any number of threads. The file appears, complete,
/// with finish(); a writer that is destroyed before leaves nothing, and an old file as it was.
/// A writer that was moved from can only be assigned to or destroyed.
class WB_EXPORT SafetensorsWriter {
 public:
  /// Decides the layout and takes the space. Of `options`, `durability`, `overwrite`, `progress` and
  /// `cancel` apply. Throws what serialize_header throws, OutputExists, IoError.
  SafetensorsWriter(const std::filesystem::path& path, std::span<const TensorSpec> specs,
                    const std::optional<Metadata>& metadata = std::nullopt, const HeaderStyle& style = {},
                    const WriteOptions& options = {});
  ~SafetensorsWriter();
  SafetensorsWriter(SafetensorsWriter&&) noexcept;
  SafetensorsWriter& operator=(SafetensorsWriter&&) noexcept;
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  /// A whole tensor: little-endian, row-major. Any thread. Throws TensorNotFound, TensorInvalidInfo
  /// for another number of bytes than the spec needs, InvalidArgument when some of them were written
  /// before or the writer is finished, Cancelled, IoError; after one of the last two it can only be
  /// destroyed.
  void write(std::string_view name, std::span<const std::byte> bytes);

  /// The same for the part of the tensor that starts at its byte `offset`.
  void write_part(std::string_view name, std::uint64_t offset, std::span<const std::byte> bytes);

  /// Bytes of the tensor. Throws TensorNotFound.
  [[nodiscard]] std::uint64_t tensor_bytes(std::string_view name) const;

  /// Bytes of all tensors that are still to be written. Any thread.
  [[nodiscard]] std::uint64_t missing_bytes() const;

  /// Publishes the file. Throws InvalidArgument while a write runs, when a byte is missing (the
  /// message names the tensor; the writer goes on) or a write has failed; OutputExists and IoError,
  /// after which it can only be destroyed.
  WriteReport finish();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace weighbridge
