// What the objects of a distributed checkpoint hold beside tensors: many trees, each under a name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weighbridge/checkpoint.hpp>

namespace weighbridge::torch {

struct NamedExtras {
  std::string name;
  std::shared_ptr<const Extras> extras;
};

/// Null when there are none.
std::shared_ptr<const Extras> make_dcp_extras(std::vector<NamedExtras> objects);

}  // namespace weighbridge::torch
