// What Keras calls the variables of its layers, which its files only number.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace weighbridge::keras {

/// Whether an option of the layer is on: "use_bias".
using Options = std::function<bool(std::string_view)>;

/// The name of a layer's variable by its number; the number itself where it is not known.
std::string variable_name(std::string_view type, std::string_view number, const Options& options);

/// The class of a part of a layer that its description does not mention: the cell of an LSTM, the dense
/// layers of an attention. Empty when it is not known.
std::string part_type(std::string_view type, std::string_view part);

}  // namespace weighbridge::keras
