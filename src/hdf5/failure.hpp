// libhdf5's stack of errors as one Error.
#pragma once

#include <string_view>

#include <weighbridge/error.hpp>

#include "hdf5/handle.hpp"

namespace weighbridge::hdf5 {

/// Keeps libhdf5 from printing what goes wrong in this thread.
void silence() noexcept;

/// MalformedCheckpoint: "<what>: <the innermost reason that libhdf5 gives>". Empties the stack.
[[nodiscard]] Error failure(std::string_view what, std::string_view path = {});

/// The handle; throws failure(what, path) when libhdf5 gave none.
[[nodiscard]] Handle checked(hid_t id, Handle::Close close, std::string_view what, std::string_view path);

}  // namespace weighbridge::hdf5
