// A source over a file that is open already.
#pragma once

#include <string>

#include <weighbridge/byte_source.hpp>

#include "io/descriptor.hpp"

namespace weighbridge::io {

/// Takes the descriptor over; `path` is for messages. Throws IoError for anything but a regular file.
SourcePtr file_source(Descriptor descriptor, std::string path, ReadMode mode);

}  // namespace weighbridge::io
