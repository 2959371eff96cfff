// Names that older Pythons and libraries gave to what is known under another name today.
#pragma once

#include <string>
#include <string_view>

namespace weighbridge::pickle {

struct QualifiedName {
  std::string module;
  std::string name;
};

/// The name of today: __builtin__.xrange is builtins.range, numpy.core.x is numpy._core.x, and so on.
QualifiedName normalise(std::string_view module, std::string_view name);

}  // namespace weighbridge::pickle
