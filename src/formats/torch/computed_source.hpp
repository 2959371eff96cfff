// Tensors whose bytes stand nowhere in the file and are made when they are read.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include <weighbridge/byte_source.hpp>

namespace weighbridge::torch {

class Content;

/// A source that is made in units of some bytes, each wholly or not at all. It holds no unit: reading
/// costs a buffer of bounded size, whatever the size of the source.
class ComputedSource : public ByteSource {
 public:
  ComputedSource(std::uint64_t bytes, std::uint64_t unit_bytes) : bytes_(bytes), unit_bytes_(unit_bytes) {}

  [[nodiscard]] std::uint64_t size() const final { return bytes_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) const final;

 private:
  /// Fills `out`, which is whole units from `first` on. Called by several threads at once.
  virtual void make(std::uint64_t first, std::span<std::byte> out) const = 0;

  std::uint64_t bytes_;
  std::uint64_t unit_bytes_;
};

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
