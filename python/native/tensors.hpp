// The tensors of one save, taken from Python's objects.
#pragma once

#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <weighbridge/large_pages.hpp>
#include <weighbridge/write.hpp>

#include "module.hpp"
#include "plain_arrays.hpp"

namespace weighbridge::python {

/// Names, dtypes, shapes, and where the bytes lie. Keeps alive the objects that names and bytes belong to,
/// and the buffers exported of all but plain arrays; has its own copy of what is small. Made and destroyed
/// with the interpreter's lock; read without it.
class Tensors {
 public:
  Tensors() = default;
  Tensors(const Tensors&) = delete;
  Tensors& operator=(const Tensors&) = delete;
  ~Tensors();

  /// All arrays of `arrays`, which map names to instances of the type of `plain` with the buffer protocol, in
  /// whatever order and byte order their elements lie. What this cannot take as it is, `adapt(name, value)`
  /// turns into the arguments (dtype, shape, data) of add().
  void add_arrays(const nb::dict& arrays, const PlainArrays& plain, const nb::callable& adapt);

  /// The bytes of a contiguous buffer. Throws TensorInvalidInfo unless they are what the spec needs.
  void add(const nb::str& name, std::string_view dtype, const nb::object& shape, const nb::object& data);

  /// Bytes at an address, which `owner` keeps alive. With `strides`, bytes between neighbours of each
  /// dimension, `size` does not count.
  void add_address(const nb::str& name, std::string_view dtype, const nb::object& shape,
                   std::uintptr_t address, std::uint64_t size, const nb::object& strides,
                   const nb::object& owner);

  [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

  /// Valid as long as this object and unchanged.
  [[nodiscard]] std::pmr::vector<BorrowedTensor> borrowed() const;

 private:
  struct Item {
    std::string_view name;
    const std::byte* first = nullptr;
    std::size_t dims_at = 0;
    std::size_t rank = 0;
    DType dtype = DType::F32;
    Transform transform = Transform::None;
    bool strided = false;
  };

  /// How long a buffer stays exported: while it is looked at, or as long as this object lives.
  enum class Export { Now, Life };

  void keep_others(const nb::dict& arrays, const PlainArrays& plain);
  bool add_copy(nb::handle name, const std::optional<PlainArray>& array);
  bool add_array(std::string_view name, nb::handle array, Export export_for);
  bool add_view(std::string_view name, const Py_buffer& view);
  void add_item(std::string_view name, std::string_view dtype, const nb::object& shape,
                const std::byte* first, std::uint64_t size);
  const std::byte* copy_of(std::span<const std::byte> bytes);
  Item make_item(std::string_view name, DType dtype, const std::byte* first) const;
  void append_dims(const nb::object& numbers);
  [[nodiscard]] std::span<const std::uint64_t> shape(const Item& item) const;
  [[nodiscard]] std::span<const std::uint64_t> strides(const Item& item) const;

  std::pmr::vector<Item> items_{&large_page_memory()};
  // Of each item its shape and, when it is strided, its strides.
  std::pmr::vector<std::uint64_t> dims_{&large_page_memory()};
  std::pmr::monotonic_buffer_resource copies_{&large_page_memory()};
  std::deque<Py_buffer> buffers_;  // may point into themselves
  std::vector<nb::object> owners_;
};

/// The UTF-8 of a str, which lives as long as it.
std::string_view text_of(nb::handle text);

/// The format's dtype of that name. Throws InvalidArgument.
DType dtype_of(std::string_view code);

/// Sizes from any sequence of non-negative integers.
Shape shape_of(const nb::object& numbers);

}  // namespace weighbridge::python
