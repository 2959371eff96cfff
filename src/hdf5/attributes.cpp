#include "hdf5/attributes.hpp"

#include <array>
#include <optional>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "hdf5/failure.hpp"
#include "hdf5/types.hpp"

namespace weighbridge::hdf5 {
namespace {

struct Names {
  std::vector<std::string> names;
  std::uint64_t most;
};

herr_t note_name(hid_t /*object*/, const char* name, const H5A_info_t* /*info*/, void* data) noexcept {
  try {
    auto& names = *static_cast<Names*>(data);
    names.names.emplace_back(name);
    return names.names.size() > names.most ? -1 : 0;
  } catch (...) {
    return -1;
  }
}

/// libhdf5 takes the memory for each text, which goes back to it together. After a failure it is lost
/// instead: what of it was freed already cannot be told.
class Texts {
 public:
  Texts(hid_t type, hid_t space, std::uint64_t count) : type_(type), space_(space), texts_(count) {}
  Texts(const Texts&) = delete;
  Texts& operator=(const Texts&) = delete;
  ~Texts() {
    if (read_) H5Dvlen_reclaim(type_, space_, H5P_DEFAULT, texts_.data());
  }

  [[nodiscard]] bool read(hid_t attribute) {
    read_ = H5Aread(attribute, type_, texts_.data()) >= 0;
    return read_;
  }

  [[nodiscard]] std::vector<std::string> copy(Room& room, std::string_view path) const {
    std::vector<std::string> out;
    for (const char* text : texts_) {
      const std::string_view view = text == nullptr ? "" : text;
      room.take(view.size(), path);
      out.emplace_back(view);
    }
    return out;
  }

 private:
  hid_t type_;
  hid_t space_;
  std::vector<char*> texts_;
  bool read_ = false;
};

std::vector<std::string> split_texts(const std::vector<std::byte>& bytes, std::uint64_t width, bool spaces) {
  std::vector<std::string> texts;
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (std::size_t at = 0; at < all.size(); at += width)
    texts.push_back(trim_text(all.substr(at, width), spaces));
  return texts;
}

std::uint64_t count_of(const Shape& shape, std::uint64_t unit, std::string_view path) {
  std::uint64_t bytes = unit;
  for (const std::uint64_t size : shape) {
    const auto next = checked_mul(bytes, size);
    if (!next) throw Error(failure("an attribute's size", path));
    bytes = *next;
  }
  return bytes;
}

/// REQUIRES: a type that is read.
void read_value(hid_t attribute, hid_t type, hid_t space, Attribute& out, std::string_view path, Room& room) {
  const std::uint64_t bytes = count_of(*out.shape, out.type.simple.bytes, path);
  room.take(bytes, path);
  if (bytes == 0) return;
  if (out.type.variable) {
    Texts texts(type, space, bytes / out.type.simple.bytes);
    if (!texts.read(attribute)) throw Error(failure("an attribute", path));
    out.texts = texts.copy(room, path);
    return;
  }
  out.bytes.resize(bytes);
  if (H5Aread(attribute, type, out.bytes.data()) < 0) throw Error(failure("an attribute", path));
  if (out.type.simple.kind != TypeClass::String) return;
  out.texts = split_texts(out.bytes, out.type.simple.bytes, H5Tget_strpad(type) == H5T_STR_SPACEPAD);
  out.bytes.clear();
}

bool has_values(const Type& type) {
  switch (type.simple.kind) {
    case TypeClass::Integer:
    case TypeClass::Float:
      return type.simple.fills_bytes;
    case TypeClass::Enum:
      return type.base.fills_bytes;
    case TypeClass::String:
      return true;
    default:
      return false;
  }
}

Attribute read_attribute(hid_t object, std::string name, std::string_view path, Room& room) {
  const std::string where = fmt::format("{}@{}", path, name);
  const Handle attribute =
      checked(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "an attribute", where);
  const Handle type = checked(H5Aget_type(attribute.get()), H5Tclose, "an attribute's type", where);
  const Handle space = checked(H5Aget_space(attribute.get()), H5Sclose, "an attribute's size", where);
  Attribute out{.name = std::move(name)};
  out.shape = read_shape(space.get(), where);
  if (holds_references(type.get())) {  // of dimension scales; nothing is looked up through them
    out.type.text = "reference";
    return out;
  }
  out.type = describe_type(type.get(), where);
  out.is_read = out.shape && has_values(out.type);
  if (out.is_read) read_value(attribute.get(), type.get(), space.get(), out, where, room);
  return out;
}

}  // namespace

void Room::take(std::uint64_t wanted, std::string_view path) {
  if (wanted > bytes) {
    throw Error(
        ErrorCode::LimitExceeded,
        fmt::format("the texts and attributes of the HDF5 file take more than the sidecar's limit, at '{}'",
                    printable(path)),
        std::string(path));
  }
  bytes -= wanted;
}

std::string trim_text(std::string_view text, bool padded_by_spaces) {
  text = text.substr(0, text.find('\0'));
  if (padded_by_spaces) text = text.substr(0, text.find_last_not_of(' ') + 1);
  return std::string(text);
}

std::optional<Shape> read_shape(hid_t space, std::string_view path) {
  const H5S_class_t kind = H5Sget_simple_extent_type(space);
  if (kind == H5S_NULL) return std::nullopt;
  if (kind == H5S_SCALAR) return Shape{};
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = kind == H5S_SIMPLE ? H5Sget_simple_extent_ndims(space) : -1;
  if (rank < 0 || rank > H5S_MAX_RANK || H5Sget_simple_extent_dims(space, sizes.data(), nullptr) < 0) {
    throw Error(failure("the shape", path));
  }
  return Shape(sizes.begin(), sizes.begin() + rank);
}

std::vector<Attribute> read_attributes(hid_t object, std::string_view path, Room& room) {
  Names names{.names = {}, .most = room.attributes};
  hsize_t at = 0;
  const herr_t status = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &at, note_name, &names);
  if (names.names.size() > room.attributes) {
    throw Error(ErrorCode::LimitExceeded, "the HDF5 file has more attributes than tensors are allowed");
  }
  if (status < 0) throw Error(failure("the attributes", path));
  room.attributes -= names.names.size();
  std::vector<Attribute> attributes;
  for (std::string& name : names.names) {
    room.take(name.size() + sizeof(Attribute), path);
    attributes.push_back(read_attribute(object, std::move(name), path, room));
  }
  return attributes;
}

}  // namespace weighbridge::hdf5
