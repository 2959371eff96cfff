// numpy arrays and joblib wrappers as the values of a pickle: more words for torch_builder.hpp.
#pragma once

#include <string>
#include <string_view>

#include "support/torch_builder.hpp"

namespace weighbridge::test::py {

/// dtype(name, False, True) with the state of version 3.
Value dtype(std::string_view name, std::string_view order = "<");
/// A structure of fields, each a name, a dtype and an offset.
struct FieldOf {
  std::string name;
  Value type;
  std::int64_t offset = 0;
};
Value structure(std::int64_t bytes, const std::vector<FieldOf>& fields);
/// Each element an array of `shape`.
Value sub_array(const Value& type, const Numbers& shape);

/// _reconstruct(ndarray, (0,), b'b') with the state (1, shape, dtype, fortran, data).
Value array(const Numbers& shape, const Value& type, const Value& data, bool fortran = false);
/// Floats 0, 1, 2, ... in row-major order.
Value float_array(const Numbers& shape, int count);

/// A NumpyArrayWrapper of today: what follows it in the stream is not included.
Value joblib_wrapper(const Numbers& shape, const Value& type, std::string_view order = "C",
                     const Value& alignment = none());
/// A NDArrayWrapper of joblib 0.9, whose array lies in a file.
Value joblib_companion(std::string_view file);

}  // namespace weighbridge::test::py

namespace weighbridge::test {

/// An .npy file of version 1.0 with this header.
std::string npy_file(std::string_view header, std::string_view data);

}  // namespace weighbridge::test
