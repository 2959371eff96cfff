// Writing: a pure plan, and the one executor that moves all data.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/header.hpp>

namespace weighbridge {

/// One tensor's way into a file.
struct CopyStep {
  std::string name;
  SourcePtr source;
  ByteRuns runs;  ///< Absolute in `source`.
  Transform transform = Transform::None;
  std::uint64_t destination = 0;  ///< Byte of the file.
};

/// One file, laid out: `head` at 0, then the steps in order of destination, without gaps.
struct FilePlan {
  std::string head;
  std::vector<CopyStep> steps;
  std::uint64_t total_bytes = 0;
};

/// Lays a checkpoint out as one safetensors file. Pure: opens and reads nothing.
/// Throws what serialize_header throws, and LimitExceeded for an output above `limits`.
WB_EXPORT FilePlan plan_safetensors(const Checkpoint& checkpoint, const HeaderStyle& style = {},
                                    const Limits& limits = {});

/// A tensor in memory that belongs to somebody else, in whatever order its elements lie.
struct BorrowedTensor {
  std::string_view name = {};
  DType dtype = DType::F32;
  std::span<const std::uint64_t> shape = {};
  const std::byte* first = nullptr;  ///< Element [0, ..., 0].
  /// Bytes between neighbours of each dimension, 0 to repeat one element; empty: contiguous.
  std::span<const std::uint64_t> strides = {};
  Transform transform = Transform::None;
};

/// Lays tensors in memory out as one safetensors file. Pure: none of their bytes is read before the
/// plan is carried out, and they must lie unchanged until then. Throws what serialize_header throws.
WB_EXPORT FilePlan plan_tensors(std::span<const BorrowedTensor> tensors,
                                const std::optional<Metadata>& metadata = std::nullopt,
                                const HeaderStyle& style = {});

/// How far a write must have come when it returns.
enum class Durability : std::uint8_t {
  None,  ///< In the page cache.
  Data,  ///< fdatasync of the file before the rename.
  Full,  ///< fsync of the file before, and of its directory after the rename.
};

/// How bytes get from memory and from other files to the disk.
enum class WriteMethod : std::uint8_t {
  Auto,      ///< Direct or Streamed when the write must be durable, otherwise Mapped or Cached.
  Cached,    ///< Into the page cache, which the kernel empties in its own time or when the write is made
             ///< durable.
  Streamed,  ///< Into the page cache; every piece is on its way to the disk while the next is written.
  Uncached,  ///< The same, and pages leave the cache when they are on the disk. Streamed before Linux 6.14.
  Direct,  ///< Past the page cache, whole blocks of it at least. Streamed where the file cannot be opened so.
  Mapped,  ///< Into the page cache through mappings, by several threads at once. Other files are read into
           ///< them. Cached where the file cannot be mapped.
};

/// "cached", "streamed", "uncached", "direct", "mapped", "auto".
WB_EXPORT std::string_view write_method_name(WriteMethod method) noexcept;

/// Bytes done of bytes in all; bytes that are also verified count twice in both. Called from one
/// thread at a time, at most some hundred times.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct WriteOptions {
  Durability durability = Durability::None;
  bool verify = true;      ///< Read the file again and compare every tensor with its source.
  bool overwrite = false;  ///< Replace an existing file; otherwise OutputExists.
  unsigned threads = 0;    ///< 0: as many as pay.
  Progress progress = {};
  const std::atomic<bool>* cancel = nullptr;  ///< Polled; set it to stop with Cancelled.
  WriteMethod method = WriteMethod::Auto;     ///< Of regular files.
};

struct WriteReport {
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_copied_in_kernel = 0;  ///< Of these, by copy_file_range.
  std::uint64_t booleans_normalized = 0;     ///< BOOL bytes that were neither 0 nor 1.
  bool verified = false;
  WriteMethod method = WriteMethod::Cached;  ///< What was done, never Auto.
  std::string why = {};                      ///< The reason for the method.
  unsigned threads = 1;                      ///< How many moved bytes.
  bool io_uring = false;                     ///< Direct writes went through io_uring.
};

/// The report in a sentence or two, for people: how much, by how many threads, by which method and why.
WB_EXPORT std::string explain(const WriteReport& report);

/// Carries the plan out beside `path` and renames the result over it at the end. Until then an old
/// file is untouched; on any failure the new one is gone. Memory beyond the plan is at most 64 MiB.
/// Keeps the mode of a replaced file and what a symbolic link points to.
/// Throws IoError, OutputExists, VerificationFailed, Cancelled.
WB_EXPORT WriteReport write_file(const FilePlan& plan, const std::filesystem::path& path,
                                 const WriteOptions& options = {});

/// Saves tensors that lie in memory as one safetensors file: plan_safetensors and write_file in one.
/// The bytes are only read during the call. Throws TensorInvalidInfo when `bytes` of a view are not
/// what its dtype and shape need, and what the two functions throw.
WB_EXPORT WriteReport save_tensors(std::span<const TensorView> tensors, const std::filesystem::path& path,
                                   const std::optional<Metadata>& metadata = std::nullopt,
                                   const HeaderStyle& style = {}, const WriteOptions& options = {});

/// A plan into an open descriptor: in order for pipes and terminals, in place for regular files
/// (from byte 0 on, then cut to size); a descriptor that appends is written to in order. Not atomic,
/// and verified only where a regular file can be read. A pipe without a reader raises SIGPIPE; with
/// that ignored it is an IoError. Throws InvalidArgument for a file that the plan reads from.
WB_EXPORT WriteReport write_descriptor(const FilePlan& plan, int descriptor,
                                       const WriteOptions& options = {});

/// A plan into memory: `out` takes exactly total_bytes (InvalidArgument otherwise). Of the options,
/// `threads`, `progress` and `cancel` apply.
WB_EXPORT WriteReport write_memory(const FilePlan& plan, std::span<std::byte> out,
                                   const WriteOptions& options = {});

/// Small text file beside an output (sidecar, index), by the same temp file and rename.
WB_EXPORT void write_text_file(const std::filesystem::path& path, std::string_view text,
                               const WriteOptions& options = {});

/// Copies the bytes of `runs` from position `from` on into `out`, transformed: a tensor or a slice,
/// wholly or in pieces. `from` and `out` are multiples of the transform's width.
/// Returns how many booleans were normalised.
WB_EXPORT std::uint64_t read_runs(const ByteSource& source, const ByteRuns& runs, Transform transform,
                                  std::uint64_t from, std::span<std::byte> out);

}  // namespace weighbridge
