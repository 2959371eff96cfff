#include "support/numpy_builder.hpp"

namespace weighbridge::test::py {

Value dtype(std::string_view name, std::string_view order) {
  return build(
      call(global("numpy", "dtype"), {text(name), boolean(false), boolean(true)}),
      tuple({integer(3), text(order), none(), none(), none(), integer(-1), integer(-1), integer(0)}));
}

Value structure(std::int64_t bytes, const std::vector<FieldOf>& fields) {
  Values names;
  std::vector<std::pair<Value, Value>> entries;
  for (const FieldOf& field : fields) {
    names.push_back(text(field.name));
    entries.emplace_back(text(field.name), tuple({field.type, integer(field.offset)}));
  }
  return build(
      call(global("numpy", "dtype"), {text("V" + std::to_string(bytes)), boolean(false), boolean(true)}),
      tuple({integer(3), text("|"), none(), tuple(names), dict(entries), integer(bytes), integer(1),
             integer(16)}));
}

Value sub_array(const Value& type, const Numbers& shape) {
  return build(call(global("numpy", "dtype"), {text("V8"), boolean(false), boolean(true)}),
               tuple({integer(3), text("|"), tuple({type, tuple_of(shape)}), none(), none(), integer(8),
                      integer(1), integer(0)}));
}

Value array(const Numbers& shape, const Value& type, const Value& data, bool fortran) {
  return build(call(global("numpy.core.multiarray", "_reconstruct"),
                    {global("numpy", "ndarray"), tuple_of({0}), bytes("b")}),
               tuple({integer(1), tuple_of(shape), type, boolean(fortran), data}));
}

Value float_array(const Numbers& shape, int count) { return array(shape, dtype("f4"), bytes(floats(count))); }

Value joblib_wrapper(const Numbers& shape, const Value& type, std::string_view order,
                     const Value& alignment) {
  return build(object(global("joblib.numpy_pickle", "NumpyArrayWrapper")),
               dict({{text("subclass"), global("numpy", "ndarray")},
                     {text("shape"), tuple_of(shape)},
                     {text("order"), text(order)},
                     {text("dtype"), type},
                     {text("allow_mmap"), boolean(true)},
                     {text("numpy_array_alignment_bytes"), alignment}}));
}

Value joblib_companion(std::string_view file) {
  return build(object(global("joblib.numpy_pickle", "NDArrayWrapper")),
               dict({{text("filename"), text(file)},
                     {text("subclass"), global("numpy", "ndarray")},
                     {text("allow_mmap"), boolean(true)}}));
}

}  // namespace weighbridge::test::py

namespace weighbridge::test {

std::string npy_file(std::string_view header, std::string_view data) {
  std::string file = "\x93NUMPY\x01";
  file += '\0';
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  return file.append(header).append(data);
}

}  // namespace weighbridge::test
