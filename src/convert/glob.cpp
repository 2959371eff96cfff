#include <weighbridge/text.hpp>

#include <fnmatch.h>

namespace weighbridge {

bool matches_glob(const std::string& text, const std::string& glob) {
  return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
}

}  // namespace weighbridge
