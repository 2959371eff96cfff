#include "formats/pickle/globals.hpp"

#include <algorithm>
#include <array>
#include <compare>

namespace weighbridge::pickle {
namespace {

struct Entry {
  std::string_view module;
  std::string_view name;
  Constructor constructor = Constructor::None;

  constexpr auto key() const { return std::pair(module, name); }
};

template <std::size_t N>
constexpr std::array<Entry, N> sorted(std::array<Entry, N> entries) {
  std::ranges::sort(entries, {}, &Entry::key);
  return entries;
}

constexpr auto kEntries = sorted(std::to_array<Entry>({
    {"collections", "OrderedDict", Constructor::OrderedDict},
    {"collections", "defaultdict", Constructor::DefaultDict},
    {"collections", "Counter", Constructor::Counter},
    {"collections", "deque", Constructor::Deque},
    {"builtins", "dict", Constructor::Dict},
    {"builtins", "list", Constructor::List},
    {"builtins", "tuple", Constructor::Tuple},
    {"builtins", "set", Constructor::Set},
    {"builtins", "frozenset", Constructor::FrozenSet},
    {"builtins", "bytearray", Constructor::ByteArray},
    {"builtins", "bytes", Constructor::Bytes},
    {"builtins", "getattr", Constructor::Getattr},
    {"builtins", "eval", Constructor::Eval},
    {"builtins", "complex", Constructor::Complex},
    {"builtins", "slice", Constructor::Slice},
    {"builtins", "range", Constructor::PyRange},
    {"_codecs", "encode", Constructor::CodecsEncode},
    {"copyreg", "_reconstructor", Constructor::Reconstructor},
    {"pathlib", "Path", Constructor::Path},
    {"pathlib", "PosixPath", Constructor::Path},
    {"pathlib", "WindowsPath", Constructor::Path},
    {"pathlib", "PurePath", Constructor::Path},
    {"pathlib", "PurePosixPath", Constructor::Path},
    {"pathlib", "PureWindowsPath", Constructor::Path},

    {"torch", "Size", Constructor::TorchSize},
    {"torch", "device", Constructor::TorchDevice},
    {"torch", "UntypedStorage", Constructor::TorchUntypedStorage},
    {"torch.storage", "UntypedStorage", Constructor::TorchUntypedStorage},
    {"torch.storage", "TypedStorage", Constructor::TorchUntypedStorage},
    {"torch.storage", "_UntypedStorage", Constructor::TorchUntypedStorage},
    {"torch.storage", "_TypedStorage", Constructor::TorchUntypedStorage},
    {"torch.storage", "_load_from_bytes", Constructor::LoadFromBytes},
    {"torch.serialization", "_get_layout", Constructor::TorchLayout},
    {"torch.nn.parameter", "Parameter", Constructor::Parameter},
    {"torch.nn.parameter", "Buffer", Constructor::Parameter},
    {"torch._tensor", "_rebuild_from_type", Constructor::RebuildFromType},
    {"torch._tensor", "_rebuild_from_type_v2", Constructor::RebuildFromTypeV2},
    {"torch._utils", "_rebuild_tensor", Constructor::RebuildTensor},
    {"torch._utils", "_rebuild_tensor_v2", Constructor::RebuildTensorV2},
    {"torch._utils", "_rebuild_tensor_v3", Constructor::RebuildTensorV3},
    {"torch._utils", "_rebuild_parameter", Constructor::RebuildParameter},
    {"torch._utils", "_rebuild_parameter_with_state", Constructor::RebuildParameterWithState},
    {"torch._utils", "_rebuild_sparse_tensor", Constructor::RebuildSparse},
    {"torch._utils", "_rebuild_sparse_csr_tensor", Constructor::RebuildSparse},
    {"torch._utils", "_rebuild_qtensor", Constructor::RebuildQuantized},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", Constructor::RebuildMeta},
    {"torch._utils", "_rebuild_nested_tensor", Constructor::RebuildNested},
    {"torch._utils", "_rebuild_wrapper_subclass", Constructor::RebuildWrapper},
    {"torch._utils", "_rebuild_device_tensor_from_numpy", Constructor::RebuildDeviceTensor},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", Constructor::RebuildDeviceTensor},
    {"torch._utils", "_rebuild_xla_tensor", Constructor::RebuildDeviceTensor},
    {"torch.nested._internal.nested_tensor", "_rebuild_njt", Constructor::RebuildJagged},
    {"torch.jit._pickle", "build_intlist", Constructor::JitBuildList},
    {"torch.jit._pickle", "build_doublelist", Constructor::JitBuildList},
    {"torch.jit._pickle", "build_boollist", Constructor::JitBuildList},
    {"torch.jit._pickle", "build_tensorlist", Constructor::JitBuildList},
    {"torch.jit._pickle", "restore_type_tag", Constructor::JitRestoreTypeTag},
    {"torch.jit._pickle", "build_tensor_from_id", Constructor::JitTensorFromId},

    {"numpy", "dtype", Constructor::NumpyDType},
    {"numpy", "ndarray", Constructor::NumpyNdarray},
    {"numpy", "matrix", Constructor::NumpyNdarray},
    {"numpy", "memmap", Constructor::NumpyNdarray},
    {"numpy", "recarray", Constructor::NumpyNdarray},
    {"numpy.rec", "recarray", Constructor::NumpyNdarray},
    {"numpy._core.memmap", "memmap", Constructor::NumpyNdarray},
    {"numpy._core.records", "recarray", Constructor::NumpyNdarray},
    {"numpy.ma", "MaskedArray", Constructor::NumpyNdarray},
    {"numpy.ma.core", "MaskedArray", Constructor::NumpyNdarray},
    {"numpy._core.multiarray", "_reconstruct", Constructor::NumpyReconstruct},
    {"numpy._core.multiarray", "scalar", Constructor::NumpyScalar},
    {"numpy._core.numeric", "_frombuffer", Constructor::NumpyFromBuffer},
    {"numpy.ma", "_mareconstruct", Constructor::NumpyMaskedReconstruct},
    {"numpy.ma.core", "_mareconstruct", Constructor::NumpyMaskedReconstruct},
    {"joblib.numpy_pickle", "NumpyArrayWrapper", Constructor::JoblibWrapper},
    {"joblib.numpy_pickle", "NDArrayWrapper", Constructor::JoblibCompanion},
    {"joblib.numpy_pickle", "ZNDArrayWrapper", Constructor::JoblibCompressedCompanion},
    {"joblib.numpy_pickle_compat", "NDArrayWrapper", Constructor::JoblibCompanion},
    {"joblib.numpy_pickle_compat", "ZNDArrayWrapper", Constructor::JoblibCompressedCompanion},
}));

template <std::size_t N>
constexpr std::array<std::string_view, N> sorted(std::array<std::string_view, N> names) {
  std::ranges::sort(names);
  return names;
}

constexpr auto kStorages = sorted(std::to_array<std::string_view>({
    "DoubleStorage",
    "FloatStorage",
    "HalfStorage",
    "BFloat16Storage",
    "LongStorage",
    "IntStorage",
    "ShortStorage",
    "CharStorage",
    "ByteStorage",
    "BoolStorage",
    "ComplexFloatStorage",
    "ComplexDoubleStorage",
    "QInt8Storage",
    "QUInt8Storage",
    "QInt32Storage",
    "QUInt4x2Storage",
    "QUInt2x4Storage",
}));

constexpr auto kTensorClasses = sorted(std::to_array<std::string_view>({
    "FloatTensor",
    "DoubleTensor",
    "HalfTensor",
    "BFloat16Tensor",
    "LongTensor",
    "IntTensor",
    "ShortTensor",
    "CharTensor",
    "ByteTensor",
    "BoolTensor",
}));

constexpr auto kDTypes = sorted(std::to_array<std::string_view>({
    "float64",
    "double",
    "float32",
    "float",
    "float16",
    "half",
    "bfloat16",
    "complex32",
    "complex64",
    "complex128",
    "cfloat",
    "cdouble",
    "chalf",
    "int64",
    "long",
    "int32",
    "int",
    "int16",
    "short",
    "int8",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "float4_e2m1fn_x2",
    "qint8",
    "quint8",
    "qint32",
    "quint4x2",
    "quint2x4",
    "bits8",
    "bits16",
    "bits1x8",
    "bits2x4",
    "bits4x2",
    "int1",
    "int2",
    "int3",
    "int4",
    "int5",
    "int6",
    "int7",
    "uint1",
    "uint2",
    "uint3",
    "uint4",
    "uint5",
    "uint6",
    "uint7",
}));

constexpr auto kLayouts = sorted(std::to_array<std::string_view>({
    "strided",
    "sparse_coo",
    "sparse_csr",
    "sparse_csc",
    "sparse_bsr",
    "sparse_bsc",
    "jagged",
}));

constexpr auto kNumpyTypes = sorted(std::to_array<std::string_view>({
    "bool",     "bool_",   "bytes_",    "complex128", "complex64",   "datetime64", "float16",
    "float32",  "float64", "int16",     "int32",      "int64",       "int8",       "longdouble",
    "longlong", "object_", "record",    "str_",       "timedelta64", "uint16",     "uint32",
    "uint64",   "uint8",   "ulonglong", "void",
}));

constexpr auto kMlTypes = sorted(std::to_array<std::string_view>({
    "bfloat16",
    "float4_e2m1fn",
    "float6_e2m3fn",
    "float6_e3m2fn",
    "float8_e3m4",
    "float8_e4m3",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
    "int2",
    "int4",
    "uint2",
    "uint4",
}));

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::binary_search(names, name);
}

// Families of names in the torch module and its twins for devices and sparse tensors.
Constructor find_torch_family(std::string_view module, std::string_view name) {
  const bool torch = module == "torch";
  const bool device = torch || module == "torch.cuda";
  const bool sparse = module == "torch.sparse" || module == "torch.cuda.sparse";
  if (device && contains(kStorages, name)) return Constructor::TorchStorage;
  if ((device || sparse) && contains(kTensorClasses, name)) return Constructor::TorchTensorClass;
  if (torch && contains(kDTypes, name)) return Constructor::TorchDType;
  if (torch && contains(kLayouts, name)) return Constructor::TorchLayout;
  return Constructor::None;
}

}  // namespace

Constructor find_constructor(std::string_view module, std::string_view name) noexcept {
  const auto key = std::pair(module, name);
  const auto found = std::ranges::lower_bound(kEntries, key, {}, &Entry::key);
  if (found != kEntries.end() && found->key() == key) return found->constructor;
  if (module == "numpy" && contains(kNumpyTypes, name)) return Constructor::NumpyType;
  if (module == "ml_dtypes" && contains(kMlTypes, name)) return Constructor::NumpyType;
  return find_torch_family(module, name);
}

GlobalClass classify(std::string_view module, std::string_view name) noexcept {
  if (!danger_of(module, name).empty()) return GlobalClass::Dangerous;
  return find_constructor(module, name) == Constructor::None ? GlobalClass::Inert : GlobalClass::Constructor;
}

}  // namespace weighbridge::pickle
