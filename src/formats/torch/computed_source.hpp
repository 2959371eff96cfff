// Tensors of PyTorch whose bytes stand nowhere in the file and are made when they are read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include <weighbridge/byte_source.hpp>

#include "formats/computed_source.hpp"

namespace weighbridge::torch {

class Content;

/// What becomes of some elements; `first` is the position of the first one.
using ElementFunction =
    std::function<void(std::uint64_t first, std::span<const std::byte> in, std::span<std::byte> out)>;

/// Each element of `content` becomes `unit_bytes` bytes of the result, the last one maybe fewer.
SourcePtr elementwise_source(Content content, std::uint64_t bytes, std::uint64_t unit_bytes,
                             ElementFunction function);

/// The computed sources of a document, one for each distinct computation, so that tied tensors are
/// still tied when they are computed. Any thread may call it.
class ComputedSources {
 public:
  /// The source that was made under the same key before, or what `make` gives.
  SourcePtr find_or_make(const std::string& key, const std::function<SourcePtr()>& make);

 private:
  std::mutex mutex_;
  std::map<std::string, SourcePtr> sources_;
};

}  // namespace weighbridge::torch
