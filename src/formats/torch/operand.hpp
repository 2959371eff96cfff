// A strided tensor as it lies in the file, before anything is decided about its output: what plain
// tensors are made of, and the parts of all others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <weighbridge/slice.hpp>

#include "formats/torch/geometry.hpp"
#include "formats/torch/recipe.hpp"
#include "formats/torch/subject.hpp"

namespace weighbridge::torch {

struct Operand {
  const ElementType* type = nullptr;
  Shape shape;
  TensorData data;    ///< Strides in bytes; the transform gives little-endian elements.
  bool conj = false;  ///< The imaginary parts change their sign on the way out.
  bool neg = false;   ///< Every number does.
  std::uint64_t storage_bytes = 0;

  [[nodiscard]] std::uint64_t elements() const noexcept;  ///< Checked to fit when the operand was made.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return elements() * type->bytes; }
};

/// Whether the recipe is a view of a storage.
bool is_strided(const Recipe& recipe) noexcept;

/// The view that a strided recipe describes, within the bounds of its storage.
Operand parse_operand(const Subject& subject, const Recipe& recipe);

/// The same for a node of any wrapping. Throws MalformedCheckpoint when it is no strided tensor;
/// `what` names it.
Operand parse_operand(const Subject& subject, pickle::NodeId node, std::string_view what);

/// All elements of a storage, one after another.
Operand whole_storage(const Subject& subject, const Storage& storage);

/// `geometry` over `storage`, checked.
Operand view_of(const Subject& subject, const Storage& storage, const ElementType& type,
                const Geometry& geometry);

const Storage& get_storage(const Subject& subject, pickle::NodeId node);
const ElementType& get_element_type(const Subject& subject, pickle::NodeId node);

/// The elements of an operand in row-major order, little-endian. Any number of threads may read.
/// Signs that conj and neg change are left as they are.
class Content {
 public:
  explicit Content(const Operand& operand);

  [[nodiscard]] std::uint64_t elements() const noexcept { return elements_; }
  [[nodiscard]] std::uint64_t element_bytes() const noexcept { return element_bytes_; }
  /// REQUIRES: `out` holds whole elements, all of them within the operand.
  void read(std::uint64_t first, std::span<std::byte> out) const;
  /// Everything, for small operands.
  [[nodiscard]] std::vector<std::byte> read_all() const;
  /// Elements are cheap to read at any place only where the source is mapped or a file.
  [[nodiscard]] bool random_access() const;
  /// Equal texts stand for the same elements, as long as one of the two lives.
  [[nodiscard]] std::string identity() const;

 private:
  SourcePtr source_;
  ByteRuns runs_;
  Transform transform_;
  std::uint64_t elements_;
  std::uint64_t element_bytes_;
};

/// All elements of a table of integers, int64 or int32, in row-major order.
std::vector<std::int64_t> read_integers(const Subject& subject, const Operand& table, std::string_view what);

}  // namespace weighbridge::torch
