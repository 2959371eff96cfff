// The closed table of names that have a meaning here, and the list of names that are dangerous.
//
// A name of the table is data with a known shape; it is still never called. Every other name is
// inert: an opaque node. Dangerous names are inert too; they are listed so that they can be reported.
#pragma once

#include <cstdint>
#include <string_view>

namespace weighbridge::pickle {

/// Meaning of a known global. Matching is by exact bytes of module and qualified name, after the
/// aliases of Python 2 and of older torch and numpy versions were normalised.
enum class Constructor : std::uint8_t {
  None,  ///< Not in the table.

  // Folded into plain nodes by the machine.
  OrderedDict,
  DefaultDict,
  Counter,
  Dict,
  List,
  Deque,
  Tuple,
  Set,
  FrozenSet,
  ByteArray,
  Bytes,
  CodecsEncode,
  Getattr,  ///< Only getattr(<global>, 'name'), which is the global <global>.name.
  Eval,     ///< Only eval('data', {'data': <array>}), which is the array.

  // Plain values, left as calls.
  Complex,
  Slice,
  PyRange,
  Path,
  Reconstructor,  ///< copyreg._reconstructor

  // torch
  TorchStorage,  ///< torch.FloatStorage and its kind; storage_dtype() tells which
  TorchUntypedStorage,
  TorchDType,
  TorchSize,
  TorchDevice,
  TorchTensorClass,  ///< torch.FloatTensor, ...: pre-0.2 tensors
  TorchLayout,
  LoadFromBytes,
  RebuildTensor,
  RebuildTensorV2,
  RebuildTensorV3,
  RebuildParameter,
  RebuildParameterWithState,
  RebuildFromTypeV2,
  RebuildFromType,
  Parameter,
  JitBuildList,  ///< torch.jit._pickle.build_intlist and its kind
  JitRestoreTypeTag,
  JitTensorFromId,

  // Known, understood by a later reader: named in the error.
  RebuildSparse,
  RebuildQuantized,
  RebuildMeta,
  RebuildNested,
  RebuildJagged,  ///< _rebuild_njt
  RebuildWrapper,
  RebuildDeviceTensor,

  // numpy and joblib
  NumpyReconstruct,
  NumpyMaskedReconstruct,
  NumpyScalar,
  NumpyFromBuffer,
  NumpyDType,
  NumpyNdarray,               ///< numpy.ndarray and its subclasses
  NumpyType,                  ///< numpy.float32, ml_dtypes.bfloat16, ...: an element type
  JoblibWrapper,              ///< Array bytes follow in the stream.
  JoblibCompanion,            ///< The array lies in an .npy file beside this one.
  JoblibCompressedCompanion,  ///< Its bytes lie in a Z-file beside this one.
};

enum class GlobalClass : std::uint8_t {
  Constructor,  ///< In the table.
  Inert,        ///< Unknown, and harmless here as everywhere in this reader.
  Dangerous,    ///< Would run code, touch files or the network in a loader that executes.
};

/// REQUIRES: normalised names.
Constructor find_constructor(std::string_view module, std::string_view name) noexcept;

/// Why (module, name) is dangerous, in a few words; empty when it is not.
std::string_view danger_of(std::string_view module, std::string_view name) noexcept;

GlobalClass classify(std::string_view module, std::string_view name) noexcept;

}  // namespace weighbridge::pickle
