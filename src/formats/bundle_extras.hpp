// What the members of a bundle hold beside tensors, as one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge {

struct ExtrasPart {
  std::string prefix;                              ///< In front of the member's own names and paths.
  std::shared_ptr<const Extras> extras = nullptr;  ///< May be null.
};

/// The extras of a lone part without a prefix as they are; otherwise JSON of the form
/// {"$bundle":[{"prefix":"policy.","content":...}, ...]}, in which names count from their prefix.
[[nodiscard]] std::shared_ptr<const Extras> join_extras(std::vector<ExtrasPart> parts);

}  // namespace weighbridge
