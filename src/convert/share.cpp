// Tied tensors: which names stand for the same bytes, and what is done about it.
#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include <weighbridge/checkpoint.hpp>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge {
namespace {

// What makes two tensors one: the same stretch of the same source, seen in the same way.
using Identity =
    std::tuple<const ByteSource*, std::uint64_t, std::vector<std::uint64_t>, Shape, DType, Transform>;

Identity identity_of(const TensorEntry& entry) {
  const TensorData& data = entry.data;
  return {data.source.get(), data.offset, data.strides, entry.spec.shape, entry.spec.dtype, data.transform};
}

// Indices of the tensors that are one and the same, for every identity that occurs twice. Tensors
// without bytes share nothing.
std::vector<std::vector<std::size_t>> find_ties(const std::vector<TensorEntry>& tensors) {
  std::map<Identity, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (byte_size(tensors[i].spec.dtype, tensors[i].spec.shape) == 0) continue;
    groups[identity_of(tensors[i])].push_back(i);
  }
  std::vector<std::vector<std::size_t>> ties;
  for (auto& [identity, members] : groups) {
    if (members.size() > 1) ties.push_back(std::move(members));
  }
  std::ranges::sort(ties);
  return ties;
}

// The name that keeps the bytes: the first in order, as the reference's save_model chooses.
std::size_t kept_of(const std::vector<std::size_t>& tie, const std::vector<TensorEntry>& tensors) {
  return *std::ranges::min_element(tie, {},
                                   [&](std::size_t i) -> const std::string& { return tensors[i].spec.name; });
}

// Records the alias, unless the metadata uses that key for something else: then the name can only be
// kept by keeping its bytes.
bool record_alias(Metadata& metadata, const std::string& alias, const std::string& kept) {
  return metadata.emplace(alias, kept).first->second == kept;
}

void drop_aliases(Checkpoint& checkpoint, const std::vector<std::vector<std::size_t>>& ties) {
  if (ties.empty()) return;
  Metadata& metadata = checkpoint.metadata ? *checkpoint.metadata : checkpoint.metadata.emplace();
  std::vector<bool> dropped(checkpoint.tensors.size());
  for (const auto& tie : ties) {
    const std::size_t kept = kept_of(tie, checkpoint.tensors);
    for (const std::size_t i : tie) {
      if (i == kept) continue;
      dropped[i] =
          record_alias(metadata, checkpoint.tensors[i].spec.name, checkpoint.tensors[kept].spec.name);
    }
  }
  std::size_t next = 0;
  std::erase_if(checkpoint.tensors, [&](const TensorEntry&) { return dropped[next++]; });
}

void refuse_ties(const Checkpoint& checkpoint, const std::vector<std::vector<std::size_t>>& ties) {
  if (ties.empty()) return;
  const std::string& first = checkpoint.tensors[ties[0][0]].spec.name;
  const std::string& second = checkpoint.tensors[ties[0][1]].spec.name;
  throw Error(ErrorCode::SharedTensors,
              fmt::format("tensors '{}' and '{}' are the same memory ({} such groups in all)",
                          printable(first), printable(second), ties.size()),
              first);
}

// The stretch of its source that a tensor covers, gaps included.
struct Stretch {
  const ByteSource* source;
  std::uint64_t begin;
  std::uint64_t end;
  std::size_t tensor;
};

std::vector<Stretch> sorted_stretches(const std::vector<TensorEntry>& tensors) {
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const ByteRuns runs = tensor_runs(tensors[i]);
    if (runs.total_bytes == 0) continue;
    std::uint64_t end = runs.offset + runs.run_bytes;
    for (const RunLoop& loop : runs.loops) end += (loop.count - 1) * loop.stride;
    stretches.push_back({tensors[i].data.source.get(), runs.offset, end, i});
  }
  std::ranges::sort(stretches, {},
                    [](const Stretch& s) { return std::tuple(s.source, s.begin, s.end, s.tensor); });
  return stretches;
}

// Views whose elements lie between each other's, like the real and imaginary parts of one tensor.
bool interleave(const TensorEntry& first, const TensorEntry& second) {
  if (first.spec.shape != second.spec.shape || first.spec.dtype != second.spec.dtype) return false;
  if (first.data.strides.empty() || first.data.strides != second.data.strides) return false;
  std::uint64_t step = 0;  // every stride is a multiple of it
  for (const std::uint64_t stride : first.data.strides) step = std::gcd(step, stride);
  if (step == 0) return false;
  const std::uint64_t distance = (second.data.offset - first.data.offset) % step;
  const std::uint64_t element = bit_width(first.spec.dtype) / 8;
  return distance >= element && step - distance >= element;
}

// One finding for each stretch of a source that several unequal tensors reach into.
void report_overlaps(Checkpoint& checkpoint) {
  const std::vector<Stretch> stretches = sorted_stretches(checkpoint.tensors);
  for (std::size_t first = 0; first < stretches.size();) {
    std::uint64_t end = stretches[first].end;
    std::size_t next = first + 1;
    while (next < stretches.size() && stretches[next].source == stretches[first].source &&
           stretches[next].begin < end) {
      end = std::max(end, stretches[next++].end);
    }
    const auto tensor = [&](std::size_t i) -> const TensorEntry& {
      return checkpoint.tensors[stretches[i].tensor];
    };
    if (next - first > 2 || (next - first == 2 && !interleave(tensor(first), tensor(first + 1)))) {
      const std::string& name = checkpoint.tensors[stretches[first].tensor].spec.name;
      const std::string& other = checkpoint.tensors[stretches[first + 1].tensor].spec.name;
      checkpoint.findings.push_back(
          {.severity = Severity::Info,
           .code = "OverlappingTensors",
           .message =
               fmt::format("{} tensors view overlapping parts of one storage ('{}', '{}'{}); each gets bytes "
                           "of its own",
                           next - first, printable(name), printable(other), next - first > 2 ? ", ..." : ""),
           .subject = name,
           .offset = std::nullopt});
    }
    first = next;
  }
}

}  // namespace

Checkpoint share_tensors(Checkpoint checkpoint, SharedPolicy policy) {
  if (policy != SharedPolicy::Copy) {
    const auto ties = find_ties(checkpoint.tensors);
    if (policy == SharedPolicy::Refuse) refuse_ties(checkpoint, ties);
    drop_aliases(checkpoint, ties);
  }
  report_overlaps(checkpoint);
  return checkpoint;
}

}  // namespace weighbridge
