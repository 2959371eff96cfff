// Tensors as DLPack capsules: how frameworks take them over without a copy and in a fraction of a
// microsecond.
#include "dlpack.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include "module.hpp"
#include "open_file.hpp"

namespace weighbridge::python {
namespace {

// In the order of DType. Codes: 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool, from 7 on small floats.
constexpr std::array<DlpackType, kDTypeCount> kTypes = {{
    {6, 8},      // BOOL
    {17, 4, 2},  // F4: two in a byte are one element
    {1, 8},      // F6_E2M3: bytes
    {1, 8},      // F6_E3M2: bytes
    {1, 8},      // U8
    {0, 8},      // I8
    {12, 8},     // F8_E5M2
    {10, 8},     // F8_E4M3
    {14, 8},     // F8_E8M0
    {11, 8},     // F8_E4M3FNUZ
    {13, 8},     // F8_E5M2FNUZ
    {0, 16},     // I16
    {1, 16},     // U16
    {2, 16},     // F16
    {4, 16},     // BF16
    {0, 32},     // I32
    {1, 32},     // U32
    {2, 32},     // F32
    {5, 64},     // C64
    {2, 64},     // F64
    {0, 64},     // I64
    {1, 64},     // U64
}};

// Unsigned integers as wide as the elements: for what a consumer has no DLPack dtype for.
constexpr DlpackType raw_type(DType dtype) {
  const std::uint32_t bits = bit_width(dtype);
  // Of these consumers some know no unsigned integers but bytes.
  return {static_cast<std::uint8_t>(bits <= 8 ? 1 : 0), static_cast<std::uint8_t>(bits < 8 ? 8 : bits), 1};
}

// A capsule's tensor and all that it points to, in one allocation for ranks up to 8.
struct Exported {
  ManagedDlpack managed;
  std::shared_ptr<const void> owner;
  std::array<std::int64_t, 8> small_shape;
  std::vector<std::int64_t> large_shape;

  static void release(ManagedDlpack* managed) { delete static_cast<Exported*>(managed->context); }

  std::int64_t* set_shape(std::span<const std::uint64_t> shape) {
    if (shape.size() > small_shape.size()) large_shape.resize(shape.size());
    std::int64_t* out = large_shape.empty() ? small_shape.data() : large_shape.data();
    for (std::size_t i = 0; i < shape.size(); ++i) out[i] = static_cast<std::int64_t>(shape[i]);
    return out;
  }
};

// Called for a capsule that no consumer took: taking one renames it.
void drop_capsule(PyObject* capsule) {
  if (PyCapsule_IsValid(capsule, kFreshCapsule) == 0) return;
  auto* managed = static_cast<ManagedDlpack*>(PyCapsule_GetPointer(capsule, kFreshCapsule));
  managed->release(managed);
}

// Two elements of F4 are one byte, and one element of every consumer: the last dimension is halved.
void halve_last(DType dtype, Exported& exported) {
  const auto rank = static_cast<std::size_t>(exported.managed.tensor.rank);
  if (dtype != DType::F4) return;
  if (rank == 0 || exported.managed.tensor.shape[rank - 1] % 2 != 0) {
    throw nb::value_error("two elements of F4 share a byte: the last dimension must be even");
  }
  exported.managed.tensor.shape[rank - 1] /= 2;
}

nb::object export_tensor(const Memory& memory, DType dtype, std::span<const std::uint64_t> shape,
                         bool direct) {
  auto exported = std::make_unique<Exported>();
  ManagedDlpack& managed = exported->managed;
  exported->owner = memory.owner;
  managed.tensor.data = memory.data;
  managed.tensor.rank = static_cast<std::int32_t>(shape.size());
  managed.tensor.type = direct ? kTypes[static_cast<std::size_t>(dtype)] : raw_type(dtype);
  managed.tensor.shape = exported->set_shape(shape);
  halve_last(dtype, *exported);
  managed.release = &Exported::release;
  nb::object capsule = nb::steal(PyCapsule_New(&managed, kFreshCapsule, &drop_capsule));
  if (!capsule.is_valid()) nb::raise_python_error();
  managed.context = exported.release();  // the capsule has it now
  return capsule;
}

DType to_dtype(std::string_view code) {
  const auto dtype = find_dtype(code);
  if (!dtype) throw nb::value_error("no such dtype");
  return *dtype;
}

nb::object to_dlpack(const Memory& memory, std::string_view code, const std::vector<std::uint64_t>& shape,
                     bool direct) {
  const DType dtype = to_dtype(code);
  if (byte_size(dtype, shape) != memory.size) throw nb::value_error("the shape is not that of so many bytes");
  return export_tensor(memory, dtype, shape, direct);
}

// Every tensor of the arena as a capsule; those whose dtype is not among `direct` as integers.
nb::list capsules(const OpenFile& file, const Arena& arena, const std::vector<std::string_view>& direct) {
  std::array<bool, kDTypeCount> known{};
  for (const std::string_view code : direct) known[static_cast<std::size_t>(to_dtype(code))] = true;
  if (arena.size() != file.header().size()) throw nb::value_error("the arena is of another file");
  return make_list(arena.size(), [&](std::size_t i) {
    const TensorInfo info = file.header()[i];
    return export_tensor(arena[i], info.dtype, info.shape, known[static_cast<std::size_t>(info.dtype)]);
  });
}

bool is_contiguous(const DlpackTensor& tensor) {
  std::int64_t expected = 1;
  for (std::int32_t i = tensor.rank; tensor.strides != nullptr && i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

}  // namespace

std::span<std::byte> dlpack_bytes(nb::handle capsule) {
  if (PyCapsule_IsValid(capsule.ptr(), kFreshCapsule) == 0) throw nb::value_error("no DLPack capsule");
  const auto* managed = static_cast<const ManagedDlpack*>(PyCapsule_GetPointer(capsule.ptr(), kFreshCapsule));
  const DlpackTensor& tensor = managed->tensor;
  if (tensor.device.type != 1 || !is_contiguous(tensor)) {
    throw nb::value_error("a destination must be contiguous and on the CPU");
  }
  std::uint64_t bits = std::uint64_t{tensor.type.bits} * tensor.type.lanes;
  for (std::int32_t i = 0; i < tensor.rank; ++i) bits *= static_cast<std::uint64_t>(tensor.shape[i]);
  return {static_cast<std::byte*>(tensor.data) + tensor.byte_offset, bits / 8};
}

void bind_dlpack(nb::module_& module) {
  module.def("to_dlpack", &to_dlpack, nb::arg("memory"), nb::arg("code"), nb::arg("shape"),
             nb::arg("direct") = true);
  module.def("to_dlpacks", &capsules, nb::arg("file"), nb::arg("arena"), nb::arg("direct"));
}

}  // namespace weighbridge::python
