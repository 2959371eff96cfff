// What an HDF5 file holds, as plain values: groups, datasets, attributes, and where the bytes of each
// dataset are. Nothing here knows of libhdf5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/error.hpp>
#include <weighbridge/tensor.hpp>

namespace weighbridge::hdf5 {

enum class TypeClass : std::uint8_t { Integer, Float, String, Opaque, Enum, Compound, Other };

/// How the bits of a floating-point number are laid out.
struct FloatLayout {
  std::uint32_t exponent_at = 0;
  std::uint32_t exponent_bits = 0;
  std::uint32_t mantissa_at = 0;
  std::uint32_t mantissa_bits = 0;
  std::uint64_t bias = 0;
  bool leading_one = false;  ///< The first bit of the mantissa is implied.
  friend bool operator==(const FloatLayout&, const FloatLayout&) = default;
};

/// A type without its parts.
struct SimpleType {
  TypeClass kind = TypeClass::Other;
  std::uint64_t bytes = 0;
  bool big_endian = false;
  bool is_signed = false;
  bool fills_bytes = false;  ///< No unused bits.
  FloatLayout layout = {};
};

/// A field of a compound, or a name of an enumeration.
struct Member {
  std::string name = {};
  SimpleType type = {};
  std::uint64_t offset = 0;
  std::int64_t value = 0;
};

struct Type {
  SimpleType simple = {};
  bool variable = false;             ///< Strings of any length: bytes elsewhere in the file.
  std::vector<Member> members = {};  ///< Of compounds, and of enumerations whose values fit.
  SimpleType base = {};              ///< Of enumerations.
  std::string text = {};             ///< For people: "64-bit float", "compound of 3 fields".
};

struct Attribute {
  std::string name = {};
  Type type = {};
  std::optional<Shape> shape = {};  ///< Absent: no dataspace, h5py's Empty.
  /// Of strings, one for each element; padding and everything from the first NUL on are gone.
  std::vector<std::string> texts = {};
  std::vector<std::byte> bytes = {};  ///< Of integers, floats, enumerations: as in the file.
  bool is_read = false;               ///< Values of other types are left where they are.
};

/// All in the file's own byte order, row-major.
struct Dataset {
  std::string path = {};  ///< Without a slash in front.
  Type type = {};
  std::optional<Shape> shape = {};
  SourcePtr source = {};  ///< Null for what is not read.
  std::uint64_t offset = 0;
  bool in_place = false;     ///< `offset` is one of the file, and the bytes there are the dataset's own.
  std::string storage = {};  ///< For people: "contiguous", "chunked, deflate", "never written".
  std::vector<std::string> texts = {};  ///< Of short datasets of strings.
  bool has_texts = false;
  std::vector<Attribute> attributes = {};
};

struct Group {
  std::string path = {};  ///< Empty: the root.
  std::vector<Attribute> attributes = {};
};

struct Content {
  std::vector<Group> groups;      ///< The root first, each before what is in it, names in order.
  std::vector<Dataset> datasets;  ///< In order of their paths' components.
  Findings findings;
};

/// The attribute of that name, or null.
const Attribute* find_attribute(const std::vector<Attribute>& attributes, std::string_view name);

/// Its one text, if it is that of a string.
std::optional<std::string_view> text_of(const Attribute* attribute);

}  // namespace weighbridge::hdf5
