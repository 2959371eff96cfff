// Small numpy arrays, read without touching what Python counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <weighbridge/dtype.hpp>

#include "module.hpp"

namespace weighbridge::python {

/// What an array shows: valid as long as the array lives and nobody reshapes it.
struct PlainArray {
  DType dtype = DType::F32;
  std::span<const std::uint64_t> shape = {};
  std::span<const std::byte> bytes = {};
};

/// Looks into contiguous arrays of the machine's own dtypes. The buffer protocol and a new reference both
/// write into an array, and a process that was forked copies the page of every array that it writes
/// into: with many tiny arrays that costs more than their bytes.
class PlainArrays {
 public:
  /// `samples` are arrays of `type`, one of each dtype. One whose fields are not where they are looked for,
  /// by what the buffer protocol says, is of another numpy, and its dtype is never found.
  PlainArrays(nb::object type, nb::list samples);

  /// The type of all that is found, which is none of its subclasses.
  [[nodiscard]] nb::handle type() const noexcept { return type_; }

  /// Nothing for another type or dtype and for a view that is not contiguous. Runs no Python code and
  /// takes no reference.
  [[nodiscard]] std::optional<PlainArray> find(nb::handle array) const noexcept;

 private:
  struct Known {
    const PyObject* descriptor = nullptr;  // of one of the samples
    DType dtype = DType::F32;
    std::size_t width = 0;
  };

  void learn(nb::handle sample);

  nb::object type_;
  nb::list samples_;
  std::vector<Known> known_;
};

}  // namespace weighbridge::python
