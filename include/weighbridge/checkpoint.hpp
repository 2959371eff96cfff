// The one in-memory form: every reader yields it, every pass takes and gives it, every writer
// lays it out. Values only; the bytes of the tensors stay where they are.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/folder.hpp>
#include <weighbridge/header.hpp>
#include <weighbridge/limits.hpp>
#include <weighbridge/slice.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge {

/// What is done to the bytes on their way out; the size never changes.
enum class Transform : std::uint8_t {
  None,
  Swap2,     ///< Reverse each 2 bytes (big-endian source).
  Swap4,     ///< Reverse each 4 bytes.
  Swap8,     ///< Reverse each 8 bytes.
  Booleans,  ///< Every byte that is not 0 becomes 1; the executor counts the changes.
};

/// Where the bytes of one tensor are, without having touched them.
struct TensorData {
  SourcePtr source = {};
  std::uint64_t offset = 0;  ///< Byte of `source` where element [0, ..., 0] lies.
  /// Bytes between neighbours of each dimension; empty: contiguous.
  std::vector<std::uint64_t> strides = {};
  Transform transform = Transform::None;

  /// The same bytes, in the same way: such tensors are tied.
  friend bool operator==(const TensorData&, const TensorData&) = default;
};

struct TensorEntry {
  TensorSpec spec = {};
  TensorData data = {};
  std::uint32_t shard = 0;  ///< Position in Checkpoint::shards of the file that it came from.
};

/// One value beside the tensors: where it stands and what it is, in a line.
struct ExtraItem {
  std::string path;     ///< Dotted path from the root of the file.
  std::string summary;  ///< e.g. "int 3", "str 'adam'", "dict of 4", "torch.device('cuda:0')".
};

/// What a checkpoint holds beside tensors. Produced on demand, within bounds.
class WB_EXPORT Extras {
 public:
  virtual ~Extras();
  /// Number of leaves that are no tensor.
  [[nodiscard]] virtual std::uint64_t count() const = 0;
  /// The first `most` of them, in file order.
  [[nodiscard]] virtual std::vector<ExtraItem> list(std::uint64_t most) const = 0;
  /// The whole tree as lossless tagged JSON (docs/formats/sidecar.md), tensors as references.
  /// Throws LimitExceeded above limits.sidecar_bytes.
  [[nodiscard]] virtual std::string to_json(const Limits& limits) const = 0;
};

/// A sub-tree of the file that could have been chosen as the state dict.
struct RootCandidate {
  std::string path;  ///< "." for the whole file.
  std::uint64_t tensors = 0;
};

/// The content of a file or of several: tensors in file order, and all that came with them.
struct Checkpoint {
  std::string format;  ///< Of the file, from the outside inwards: "torch-zip", "gzip, tar, torch-legacy".
  std::vector<TensorEntry> tensors;
  std::vector<TensorEntry> optimizer;  ///< With OptimizerPolicy::Separate: names from the file's root.
  std::optional<Metadata> metadata;
  std::shared_ptr<const Extras> extras;  ///< May be null.
  Findings findings;
  std::string root = ".";                 ///< The sub-tree that `tensors` were taken from.
  std::vector<RootCandidate> candidates;  ///< The choices that there were, `root` among them.
  std::uint64_t source_bytes = 0;         ///< Size of what was read.
  std::vector<std::string> shards;        ///< The files of a sharded checkpoint; empty for any other.

  /// The tensor of that name, or null. Linear.
  [[nodiscard]] const TensorEntry* find(std::string_view name) const& noexcept WB_LIFETIME_BOUND;
  const TensorEntry* find(std::string_view name) const&& = delete;
};

/// The runs of `entry.data.source` that hold the tensor.
WB_EXPORT ByteRuns tensor_runs(const TensorEntry& entry);

/// What becomes of sparse tensors.
enum class SparsePolicy : std::uint8_t {
  Dense,  ///< Written out in full, duplicates summed.
  Split,  ///< `name.indices` and `name.values` (or the parts of the layout), the shape in the sidecar.
};

/// What becomes of quantised tensors.
enum class QuantizedPolicy : std::uint8_t {
  Split,       ///< The raw integers as `name`, with `name.scale` and `name.zero_point`.
  Dequantize,  ///< F32: (q - zero_point) * scale.
};

/// What becomes of the state of optimizers.
enum class OptimizerPolicy : std::uint8_t {
  Skip,      ///< Left out when the file holds a model, and described among the extras.
  Separate,  ///< In Checkpoint::optimizer, with all other tensors outside the root.
  Inline,    ///< The same among the tensors, under their paths from the file's root.
};

/// What HDF5 files are parsed by. The library has none of its own; see docs/formats/hdf5.md.
class Hdf5Library;

/// What tensors of formats are called that keep them under paths of groups.
enum class NamePolicy : std::uint8_t {
  Exact,   ///< The path in the file.
  Pretty,  ///< As the model's own description calls layers and their variables.
};

/// What becomes of numpy's raw bytes (`V2`, `V1`, ...), as .npy files have them for types that numpy
/// itself does not know: they do not say what they are.
enum class VoidPolicy : std::uint8_t {
  Bfloat16,  ///< Two bytes are BF16, as ml_dtypes and MLX write it; any other number is Unsupported.
  Bytes,     ///< U8, with a dimension more.
};

/// How the content is read.
struct OpenOptions {
  ReadMode mode = ReadMode::Auto;
  Limits limits;
  /// Where files are found that the input names: shards, arrays of old joblib files. Null: nowhere,
  /// and an input that needs one is refused. open_checkpoint() fills it in.
  InputFolderPtr folder = nullptr;
  /// Name of the input in `folder`: those of files that belong to it are made from it. Empty: unknown, and an
  /// input that has such files is refused. open_checkpoint() fills it in.
  std::string input_name = {};
  SparsePolicy sparse = SparsePolicy::Dense;
  QuantizedPolicy quantized = QuantizedPolicy::Split;
  /// Blocks of GGUF as F32, F16 or BF16, rounded to nearest even, instead of the bytes as they are. Absent:
  /// F32 with QuantizedPolicy::Dequantize.
  std::optional<DType> dequantize = std::nullopt;
  OptimizerPolicy optimizer = OptimizerPolicy::Skip;
  bool split_complex =
      false;                 ///< Complex tensors as `name.real` and `name.imag`; the only way for complex128.
  bool paddle_bf16 = false;  ///< uint16 numpy arrays are BF16, as paddle saves bfloat16 parameters.
  bool variable_names = false;  ///< TensorFlow: names that variables were given, for paths through objects.
  VoidPolicy numpy_void = VoidPolicy::Bfloat16;
  bool skip_meta = false;  ///< Leave out tensors without data instead of refusing the file.
  bool constants = false;  ///< Also take the constants of TorchScript code, as `CONSTANTS.c<n>`.
  NamePolicy names = NamePolicy::Exact;
  /// Parses HDF5 files, among them those of Keras. Null: they are refused. Borrowed. Only for a process
  /// without rights: see docs/security.md.
  const Hdf5Library* hdf5 = nullptr;
  bool keep_sources = false;  ///< Keep source text that a file embeds for its classes among the extras.
  /// The sub-tree to take, as a dotted path; "." is the whole tree. Absent: the state dict is
  /// found by the rules of docs/formats/torch.md.
  std::optional<std::string> key;
};

/// The format that the first and last bytes of `source` belong to: "safetensors", "torch-zip",
/// "torch-legacy", "npz", "npy", "gguf", "tensorflow", "sharded", "hdf5", "onnx", "flax", "pickle"; for a
/// container around one the container alone: "tar", "gzip", "xz", ... Nothing for a format that is not read.
WB_EXPORT std::optional<std::string_view> find_format(const ByteSource& source);

/// Reads the structure of a file of any format that is known, detected by content.
/// Throws UnknownFormat, Unsupported, IoError and the reader's own errors.
WB_EXPORT Checkpoint open_checkpoint(const std::filesystem::path& path, const OpenOptions& options = {});

/// The same over any source; `options.mode` does not apply.
WB_EXPORT Checkpoint read_checkpoint(SourcePtr source, const OpenOptions& options = {});

/// What is done with tensors that are one and the same stretch of memory.
enum class SharedPolicy : std::uint8_t {
  Dedupe,  ///< The first name in order keeps the bytes; `metadata[other] = kept`, as save_model does.
  Copy,    ///< Every name gets bytes of its own.
  Refuse,  ///< SharedTensors.
};

/// Applies the policy to exact aliases: same bytes, same shape, same dtype. Tensors that overlap
/// without being equal always keep bytes of their own and are reported ("OverlappingTensors").
WB_EXPORT Checkpoint share_tensors(Checkpoint checkpoint, SharedPolicy policy);

}  // namespace weighbridge
