// Conversion from end to end: read, passes, plan, execute, verify.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/export.hpp>
#include <weighbridge/folder.hpp>
#include <weighbridge/write.hpp>

namespace weighbridge {

enum class OutputFormat : std::uint8_t {
  Safetensors,
  Onnx,   ///< The model in `template_file`, or the input, with the tensors in their places.
  Torch,  ///< A zip archive for torch.load(weights_only=True): plain values, containers, tensors.
  Npz,    ///< An archive of arrays for numpy.load and MLX.
  Npy,    ///< The same for a single tensor.
  Gguf,   ///< Version 3, little-endian.
  Hdf5,   ///< An HDF5 file: `template_file` with other weights in it, or without one a new file.
  Keras,  ///< The archive `template_file` with other weights in it.
};

/// What floating-point tensors become in formats that have blocks.
enum class Quantize : std::uint8_t {
  None,
  Q8_0,  ///< 32 integers of 8 bits under one F16 scale, for tensors of two dimensions and more.
};

/// What becomes of tensors whose dtype the output format does not have.
enum class LackingPolicy : std::uint8_t {
  Refuse,  ///< Unsupported, naming the first.
  Bytes,   ///< U8 (in GGUF I8) with the same bytes, and the finding "DTypeAsBytes".
};

/// One rule of renaming: in every name each match of `pattern`, a regular expression of RE2, gives way to
/// `replacement`, in which \1 to \9 are the groups and \0 is all of it.
struct RenameRule {
  std::string pattern;
  std::string replacement;
};

/// What is done to the tensors between reading and writing. All patterns (shell patterns, as fnmatch has
/// them) are matched with the names of the input.
struct PassOptions {
  std::vector<std::string> select = {};  ///< Only tensors that match one; empty: all.
  std::vector<std::string> drop = {};    ///< Not those that match one.
  std::optional<DType> dtype = {};     ///< Cast floating tensors: to F64, F32, F16, BF16, F8_E4M3 or F8_E5M2.
  std::vector<std::string> cast = {};  ///< Cast only those that match one; empty: all.
  std::string strip_prefix = {};       ///< Taken off the names that start with it.
  std::vector<RenameRule> rename = {};  ///< Behind that, in this order.

  /// Whether tensors may be missing afterwards, or have other names.
  [[nodiscard]] bool change_names() const {
    return !select.empty() || !drop.empty() || !strip_prefix.empty() || !rename.empty();
  }
};

/// Selects, casts and renames, in this order; the tensors of Checkpoint::optimizer stay as they are. Cast
/// tensors are computed as they are read: rounded to nearest, ties to even; what is too large becomes
/// infinite, and 448 in F8_E4M3. Tied tensors stay tied. Adds the findings "TensorsLeftOut", "TensorsCast",
/// "NotCast" and "PatternWithoutMatch". Throws InvalidArgument for a regular expression or dtype that is none
/// of these, NoTensors when nothing is selected, NameCollision naming both when two tensors would get the
/// same name.
WB_EXPORT Checkpoint apply_passes(Checkpoint checkpoint, const PassOptions& options);

/// Numbers of cast tensors that were too large for their new dtype, known once the tensors have been read:
/// the finding "CastOverflow" for each such tensor. Gives their sum.
WB_EXPORT std::uint64_t report_casts(const Checkpoint& checkpoint, Findings& findings);

struct ConvertOptions {
  OpenOptions open;
  OutputFormat to = OutputFormat::Safetensors;
  /// Name of the input in open.folder: names of files beside it are made from it. Empty: none are looked for.
  std::string input_name = {};
  SharedPolicy shared = SharedPolicy::Dedupe;
  HeaderStyle style;
  WriteOptions write;
  bool allow_dangerous = false;  ///< Convert although the file names dangerous code; it never runs.
  bool allow_empty = false;      ///< A file without tensors gives a file without tensors.
  bool sidecar = false;          ///< Write everything that is no tensor to <output>.meta.json.
  /// Tensors of one file at most, unless a single one is larger. 0: as many files as the input has.
  std::uint64_t max_shard_bytes = 0;
  bool use_sidecar =
      true;  ///< To Torch and Gguf: take the tree or pairs from <input>.meta.json when it is there.
  /// To Onnx: the model that is filled. Null: the input is it. To Hdf5 and Keras: a saved model of the same
  /// architecture, whose weights are exchanged.
  SourcePtr template_file = nullptr;
  InputFolderPtr template_folder = nullptr;  ///< Where files are found that the template names.
  bool external_data =
      false;  ///< To Onnx: the data in a safetensors file beside the model, in one copy for both.
  std::uint64_t inline_below = 1024;  ///< To Onnx: smaller initializers are in the model as well.
  bool template_is_input = false;     ///< Set by plan_conversion().
  bool drop_objects = false;  ///< To Torch: None for objects that are no plain data, instead of Unsupported.
  /// To Gguf: pairs beside those of the sidecar, or in their place: "general.architecture=str:llama",
  /// "tokenizer.ids=u32[]:1,2".
  std::vector<std::string> gguf_values = {};
  Quantize quantize = Quantize::None;             ///< To Gguf.
  LackingPolicy lacking = LackingPolicy::Refuse;  ///< Dtypes that the output format does not have.
  PassOptions passes = {};
};

/// One file of an output.
struct OutputFile {
  std::string name;  ///< In the output's folder.
  FilePlan plan;
};

/// What the files of an output are called.
WB_EXPORT std::string optimizer_file_name(std::string_view output);
WB_EXPORT std::string sidecar_file_name(std::string_view output);
WB_EXPORT std::string index_file_name(std::string_view output);
WB_EXPORT std::string onnx_data_file_name(std::string_view output);
WB_EXPORT std::string shard_file_name(std::string_view output, std::size_t shard, std::size_t shards);
/// The output that files beside an input belong to: an index stands for the whole.
WB_EXPORT std::string whole_file_name(std::string_view input);

/// A conversion that is decided but not yet carried out; printable, for --dry-run.
struct Conversion {
  Checkpoint checkpoint;          ///< After all passes.
  std::vector<OutputFile> files;  ///< The tensors first, then what stands beside them.
};

struct ConvertReport {
  WriteReport write;                 ///< Of all files together.
  std::vector<WriteReport> files;    ///< Of each of Conversion::files.
  std::uint64_t cast_overflows = 0;  ///< Numbers that were too large for the dtype they were cast to.
  Findings findings;                 ///< Of reading, passes and writing.
};

/// Throws DangerousContent, naming the first finding of Severity::Danger and how many more there are;
/// does nothing when there is none. For programs that use a Checkpoint without converting it.
WB_EXPORT void refuse_dangerous(const Findings& findings);

/// Reads and plans; writes nothing. `output` is the name of the file with the tensors, from which
/// the names of the files beside it are made: `model.safetensors` becomes model.optimizer.safetensors,
/// model-00001-of-00002.safetensors, model.safetensors.index.json, model.safetensors.meta.json.
/// Throws DangerousContent, NoTensors, and all that read_checkpoint, share_tensors and
/// plan_safetensors throw.
WB_EXPORT Conversion plan_conversion(SourcePtr input, const std::string& output,
                                     const ConvertOptions& options = {});

/// All of plan_conversion() behind reading, for checkpoints that were made in another way.
WB_EXPORT Conversion plan_checkpoint(Checkpoint checkpoint, const std::string& output,
                                     const ConvertOptions& options = {});

/// A checkpoint as one of several that are merged.
struct MergePart {
  Checkpoint checkpoint;
  std::string file;         ///< Names it in messages.
  std::string prefix = {};  ///< In front of its names.
};

/// Several checkpoints as one: the tensors of all, in order, those of Checkpoint::optimizer too. Metadata is
/// joined; of a key with several values the first counts, and the finding "MetadataConflict" names the rest.
/// Other values are not kept ("ValuesNotMerged"). Throws NameCollision naming both files when a name occurs
/// twice.
WB_EXPORT Checkpoint merge_checkpoints(std::vector<MergePart> parts);

/// A file for each group of tensors whose names begin alike, in the first `depth` parts between dots:
/// model.safetensors becomes model.encoder.safetensors, model.decoder.safetensors, ... With `strip` the names
/// lose what their group has in common. Throws InvalidArgument for a depth of 0, LimitExceeded for more than
/// 1000 files, and what plan_checkpoint throws.
WB_EXPORT Conversion plan_split(const Checkpoint& checkpoint, const std::string& output, std::size_t depth,
                                bool strip, const ConvertOptions& options = {});

/// Carries it out: all files appear when all of them are complete. Up to four are written at once, where all
/// their bytes can be read in any order, by options.write.threads in all. Memory is that of write_file for
/// each.
WB_EXPORT ConvertReport write_conversion(const Conversion& conversion, OutputFolder& folder,
                                         const ConvertOptions& options = {});

/// Whether only the plan can tell the names of the output's files.
WB_EXPORT bool may_be_sharded(const std::filesystem::path& input, const ConvertOptions& options);

/// Opens a file, or what find_input() finds in a folder, and fills in options.open.folder and
/// options.input_name where they are empty.
WB_EXPORT SourcePtr open_source(const std::filesystem::path& input, ConvertOptions& options);

/// All of these. A folder as input is what find_input() finds in it. An existing output is refused before the
/// input is opened, unless options.write.overwrite.
WB_EXPORT ConvertReport convert(const std::filesystem::path& input, const std::filesystem::path& output,
                                const ConvertOptions& options = {});

}  // namespace weighbridge
