#include "formats/torch/computed_source.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "formats/torch/operand.hpp"

namespace weighbridge::torch {
namespace {

constexpr std::uint64_t kScratchBytes = 256 * 1024;

class ElementwiseSource final : public ComputedSource {
 public:
  ElementwiseSource(Content content, std::uint64_t bytes, std::uint64_t unit_bytes, ElementFunction function)
      : ComputedSource(bytes, unit_bytes),
        content_(std::move(content)),
        unit_bytes_(unit_bytes),
        function_(std::move(function)) {}

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    const std::uint64_t most = kScratchBytes / content_.element_bytes();
    std::vector<std::byte> in(std::min(most, out.size() / unit_bytes_) * content_.element_bytes());
    while (!out.empty()) {
      const std::uint64_t count = std::min(most, out.size() / unit_bytes_);
      const auto piece = std::span(in).first(count * content_.element_bytes());
      content_.read(first, piece);
      function_(first, piece, out.first(count * unit_bytes_));
      out = out.subspan(count * unit_bytes_);
      first += count;
    }
  }

  Content content_;
  std::uint64_t unit_bytes_;
  ElementFunction function_;
};

}  // namespace

SourcePtr elementwise_source(Content content, std::uint64_t bytes, std::uint64_t unit_bytes,
                             ElementFunction function) {
  return std::make_shared<ElementwiseSource>(std::move(content), bytes, unit_bytes, std::move(function));
}

SourcePtr ComputedSources::find_or_make(const std::string& key, const std::function<SourcePtr()>& make) {
  const std::lock_guard lock(mutex_);
  SourcePtr& source = sources_[key];
  if (!source) source = make();
  return source;
}

}  // namespace weighbridge::torch
