// Bytes with a checksum, which is looked at before the first of them is given away.
#pragma once

#include <functional>
#include <memory>

#include <weighbridge/byte_source.hpp>

namespace weighbridge {

/// Something that is looked at once, by whoever comes first, and throws when it is wrong: then for everybody.
/// `look` is called by one thread at a time, again after it threw.
class OnceChecked;
using OnceCheckedPtr = std::shared_ptr<const OnceChecked>;
[[nodiscard]] OnceCheckedPtr check_once(std::function<void()> look);

/// `content`, as a part of what is checked: reading, mapping and asking for the extent throw what `look`
/// throws.
[[nodiscard]] SourcePtr checked_source(SourcePtr content, OnceCheckedPtr check);

}  // namespace weighbridge
