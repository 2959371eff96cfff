#include <cstring>
#include <limits>

#include <weighbridge/write.hpp>

#include "base/checked.hpp"
#include "core/header_serialize.hpp"

namespace weighbridge {
namespace {

/// All memory of the process: an offset is an address. One source serves any number of tensors.
class AddressSpace final : public ByteSource {
 public:
  std::uint64_t size() const override { return std::numeric_limits<std::uint64_t>::max(); }

  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    std::memcpy(out.data(), at(offset), out.size());
  }

  std::optional<Buffer> map(std::uint64_t offset, std::uint64_t length) const override {
    return Buffer(std::span(at(offset), length), nullptr);
  }

 private:
  static const std::byte* at(std::uint64_t offset) noexcept {
    // The very point of this source. NOLINTNEXTLINE(performance-no-int-to-ptr)
    return reinterpret_cast<const std::byte*>(static_cast<std::uintptr_t>(offset));
  }
};

std::uint64_t address_of(const std::byte* first) noexcept { return reinterpret_cast<std::uintptr_t>(first); }

ByteRuns runs_of(const BorrowedTensor& tensor, std::uint64_t bytes) {
  if (tensor.strides.empty()) {
    return {.offset = address_of(tensor.first), .run_bytes = bytes, .loops = {}, .total_bytes = bytes};
  }
  ByteRuns runs = plan_runs(tensor.dtype, tensor.shape, tensor.strides);
  runs.offset += address_of(tensor.first);
  return runs;
}

std::vector<SpecView> specs_of(std::span<const BorrowedTensor> tensors) {
  std::vector<SpecView> specs;
  specs.reserve(tensors.size());
  for (const BorrowedTensor& tensor : tensors) {
    specs.push_back({.name = tensor.name, .dtype = tensor.dtype, .shape = tensor.shape});
  }
  return specs;
}

}  // namespace

FilePlan plan_tensors(std::span<const BorrowedTensor> tensors, const std::optional<Metadata>& metadata,
                      const HeaderStyle& style) {
  SerializedHeader header = serialize_specs(specs_of(tensors), metadata, style);
  const std::uint64_t data_begin = header.bytes.size();
  const auto total = checked_add(data_begin, header.data_bytes);
  if (!total) throw Error(ErrorCode::ValidationOverflow, "the file would not fit 64 bits");

  FilePlan plan{.head = std::move(header.bytes), .steps = {}, .total_bytes = *total};
  plan.steps.reserve(tensors.size());
  const SourcePtr memory = std::make_shared<AddressSpace>();
  for (std::size_t i = 0; i < header.order.size(); ++i) {
    const std::uint64_t begin = header.data_offsets[i];
    const std::uint64_t end = i + 1 < header.order.size() ? header.data_offsets[i + 1] : header.data_bytes;
    if (begin == end) continue;
    const BorrowedTensor& tensor = tensors[header.order[i]];
    plan.steps.push_back({.name = std::string(tensor.name),
                          .source = memory,
                          .runs = runs_of(tensor, end - begin),
                          .transform = tensor.transform,
                          .destination = data_begin + begin});
  }
  return plan;
}

}  // namespace weighbridge
