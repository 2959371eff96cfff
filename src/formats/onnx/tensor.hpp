// TensorProto: what it says about itself, and where its data is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <weighbridge/limits.hpp>
#include <weighbridge/tensor.hpp>

#include "formats/onnx/types.hpp"
#include "formats/onnx/wire.hpp"

namespace weighbridge::onnx {

/// The entries of external_data. None of them has been believed yet.
struct External {
  std::string location = {};
  std::optional<std::uint64_t> offset = {};
  std::optional<std::uint64_t> length = {};
  bool has_checksum = false;
  std::vector<std::string> ignored = {};  ///< Keys that mean nothing in a file, such as basepath.
};

/// One tensor of a model, as it stands there.
struct TensorProto {
  Extent message = {};  ///< Its content; of a list, that of the attribute.
  std::string name = {};
  std::int32_t type = kUndefined;
  Shape dims = {};
  std::optional<Extent> raw = {};         ///< raw_data.
  std::vector<std::uint32_t> typed = {};  ///< Numbers of the typed fields that are there.
  std::optional<Extent> packed = {};      ///< The only field of these, when it is packed.
  std::uint32_t list_field = 0;           ///< Of a list: the attribute's field that holds it.
  std::optional<External> external = {};  ///< Its data is in another file.
};

/// Reads the fields of a TensorProto, and none of its data.
/// Throws MalformedCheckpoint for a field of a wrong kind, a singular field twice, a negative dimension and
/// odd external entries; Unsupported for a segment; LimitExceeded.
[[nodiscard]] TensorProto parse_tensor(Window& window, Extent message, const Limits& limits);

/// The dimensions in the field of that number. Throws as parse_tensor does.
[[nodiscard]] Shape parse_dims(Window& window, Extent message, std::uint32_t number, const Limits& limits);

/// "tensor 'a.b'", or "tensor at byte 12" when it has no name.
[[nodiscard]] std::string tensor_text(const TensorProto& tensor);

/// Throws an error about a tensor: MalformedCheckpoint unless said otherwise, at the place of its message.
[[noreturn]] void refuse_tensor(const TensorProto& tensor, const std::string& what);

/// Bytes of the data as raw_data has them: elements of less than a byte fill bytes, the last one maybe not.
/// Throws MalformedCheckpoint when they are 2^63 or more. REQUIRES: type.bits != 0.
[[nodiscard]] std::uint64_t data_bytes(const TensorProto& tensor, const ElementType& type);

/// Numbers of the fields of TensorProto.
namespace tensor_field {
inline constexpr std::uint32_t kDims = 1;
inline constexpr std::uint32_t kDataType = 2;
inline constexpr std::uint32_t kSegment = 3;
inline constexpr std::uint32_t kFloatData = 4;
inline constexpr std::uint32_t kInt32Data = 5;
inline constexpr std::uint32_t kStringData = 6;
inline constexpr std::uint32_t kInt64Data = 7;
inline constexpr std::uint32_t kName = 8;
inline constexpr std::uint32_t kRawData = 9;
inline constexpr std::uint32_t kDoubleData = 10;
inline constexpr std::uint32_t kUint64Data = 11;
inline constexpr std::uint32_t kExternalData = 13;
inline constexpr std::uint32_t kDataLocation = 14;
}  // namespace tensor_field

}  // namespace weighbridge::onnx
