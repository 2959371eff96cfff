// Memory as a Python object with the buffer protocol.
#include <new>

#include "memory.hpp"
#include "module.hpp"

namespace weighbridge::python {
namespace {

// The object is the exporter, and its address never changes: there is nothing to release.
int get_buffer(PyObject* object, Py_buffer* view, int flags) {
  static constexpr std::byte kEmpty{};  // some consumers take a null pointer for a failure
  const auto* memory = nb::inst_ptr<Memory>(object);
  return PyBuffer_FillInfo(view, object, memory->size == 0 ? const_cast<std::byte*>(&kEmpty) : memory->data,
                           static_cast<Py_ssize_t>(memory->size), memory->writable ? 0 : 1, flags);
}

PyType_Slot slots[] = {
    {Py_bf_getbuffer, reinterpret_cast<void*>(&get_buffer)},
    {0, nullptr},
};

}  // namespace

nb::tuple to_tuple(std::span<const std::uint64_t> shape) {
  const nb::object tuple = nb::steal(PyTuple_New(static_cast<Py_ssize_t>(shape.size())));
  if (!tuple.is_valid()) nb::raise_python_error();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    PyObject* item = PyLong_FromUnsignedLongLong(shape[i]);
    if (item == nullptr) nb::raise_python_error();
    PyTuple_SetItem(tuple.ptr(), static_cast<Py_ssize_t>(i), item);
  }
  return nb::borrow<nb::tuple>(tuple);
}

void bind_memory(nb::module_& module) {
  nb::class_<Memory>(module, "Memory", nb::type_slots(slots))
      .def("__len__", [](const Memory& memory) { return memory.size; })
      .def_prop_ro("address",
                   [](const Memory& memory) { return reinterpret_cast<std::uintptr_t>(memory.data); })
      .def_ro("writable", &Memory::writable);
}

}  // namespace weighbridge::python
