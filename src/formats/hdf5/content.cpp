#include "formats/hdf5/content.hpp"

#include <algorithm>

namespace weighbridge::hdf5 {

const Attribute* find_attribute(const std::vector<Attribute>& attributes, std::string_view name) {
  const auto found = std::ranges::find(attributes, name, &Attribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

std::optional<std::string_view> text_of(const Attribute* attribute) {
  if (attribute == nullptr || !attribute->is_read || attribute->texts.size() != 1) return std::nullopt;
  return attribute->texts.front();
}

}  // namespace weighbridge::hdf5
