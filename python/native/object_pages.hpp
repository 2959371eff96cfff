// Python's own memory for small objects, in large pages where many objects are made at once.
#pragma once

#include <cstddef>

#include "module.hpp"

namespace weighbridge::python {

/// While it lives, the arenas that Python takes for small objects lie in large pages. Else each small page
/// comes with a fault of its own when the first object in it is made, and for many objects the faults
/// take longer than making them.
/// Where Python does not say how it takes arenas (the stable interface, builds without a global interpreter
/// lock) it does nothing.
class ObjectPages {
 public:
  /// For so many objects; a few are not worth it. REQUIRES: the global interpreter lock, here and at the end.
  explicit ObjectPages(std::size_t objects);
  ObjectPages(const ObjectPages&) = delete;
  ObjectPages& operator=(const ObjectPages&) = delete;
  ~ObjectPages();

 private:
  bool active_;
};

}  // namespace weighbridge::python
