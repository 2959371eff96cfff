// Tensors on their way back into a pickle: found by name, written as the calls that rebuild them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <weighbridge/checkpoint.hpp>

#include "formats/pickle/writer.hpp"
#include "formats/restore/admitted.hpp"
#include "formats/restore/plan.hpp"
#include "formats/zip/layout.hpp"

namespace weighbridge::restore {

/// Whether torch has tensors of that dtype.
[[nodiscard]] bool has_torch_type(DType dtype) noexcept;

/// Which of the two files holds a tensor.
enum class File : std::uint8_t { Model, Optimizer };

/// A tensor as the sidecar refers to it; what it does not say is as in the file.
struct Reference {
  std::string_view name = {};
  File file = File::Model;
  std::string_view dtype = {};              ///< torch's name, where safetensors has no own dtype for it.
  std::vector<std::uint64_t> strides = {};  ///< In elements; empty: contiguous.
  bool parameter = false;
  bool requires_grad = false;
  std::string_view storage = {};  ///< The class, of a storage that stands for itself.
};

/// The tensors of both files and the storages that were used so far.
class Shelf {
 public:
  /// Borrows the checkpoints.
  explicit Shelf(const Parts& parts);

  /// Whether there is a tensor of that name, or an alias of it.
  [[nodiscard]] bool has(const Reference& reference) const { return find(reference).has_value(); }

  /// Appends the tensor, without its attributes. Throws MalformedCheckpoint when there is none of that
  /// name, Unsupported for its dtype.
  void write(pickle::Writer& out, const Reference& reference);

  /// Appends the function that rebuilds the tensor, `type` if there is one, and the arguments.
  void write_call(pickle::Writer& out, const Reference& reference, std::optional<GlobalName> type);

  /// Names of the model's tensors in file order, the aliases of each behind it.
  [[nodiscard]] std::vector<std::string_view> names() const;

  /// How many tensors nothing was written of.
  [[nodiscard]] std::size_t unused() const;

  /// An archive entry for each storage: "<folder>/data/<key>", in the order of their keys as texts.
  [[nodiscard]] std::vector<zip::NewEntry> take_storages(std::string_view folder) &&;

 private:
  struct Set {
    const Checkpoint* checkpoint;
    std::map<std::string_view, std::size_t> by_name;
  };
  /// A tensor in the order of dimensions in which it lies in memory.
  using Place = std::tuple<File, std::size_t, std::vector<std::size_t>>;

  [[nodiscard]] std::optional<std::pair<File, std::size_t>> find(const Reference& reference) const;
  [[nodiscard]] std::pair<File, std::size_t> get(const Reference& reference) const;
  [[nodiscard]] const TensorEntry& entry(File file, std::size_t index) const;
  [[nodiscard]] std::string key_of(const Place& place);

  std::vector<Set> sets_;
  std::map<Place, std::string> keys_;
  std::vector<std::pair<std::string, TensorEntry>> storages_;
};

}  // namespace weighbridge::restore
