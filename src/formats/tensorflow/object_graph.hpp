// The names that variables were given, in the graph of the objects that a checkpoint was made of.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace weighbridge::tensorflow {

/// The entry that holds it.
inline constexpr std::string_view kObjectGraph = "_CHECKPOINTABLE_OBJECT_GRAPH";

/// Keys of the checkpoint to names, of variables that have one. `payload` is the entry's content: a tensor
/// of one string. Throws MalformedCheckpoint.
[[nodiscard]] std::map<std::string, std::string, std::less<>> read_variable_names(std::string_view payload);

}  // namespace weighbridge::tensorflow
