#include "io/load_parts.hpp"

#include <algorithm>
#include <unordered_map>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/box.hpp"

namespace weighbridge::io {
namespace {

std::string what(const LoadStep& step, std::size_t number) {
  const std::string name = step.source ? step.source->name() : std::string();
  return name.empty() ? fmt::format("step {}", number)
                      : fmt::format("step {} (of '{}')", number, printable(name));
}

void check_step(const LoadStep& step, std::size_t number) {
  if (!step.source) throw Error(ErrorCode::InvalidArgument, fmt::format("step {} has no source", number));
  if (step.out.size() != step.runs.total_bytes) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} needs {} bytes of memory, the memory given for it has {}", what(step, number),
                            step.runs.total_bytes, step.out.size()));
  }
  if (!step.out.empty() && !runs_fit(step.runs, step.source->size())) {
    throw Error(ErrorCode::IoError,
                fmt::format("{} takes {} bytes from {} on, which leave the source of {} bytes",
                            what(step, number), step.runs.total_bytes, step.runs.offset, step.source->size()),
                step.source->name(), step.runs.offset);
  }
}

void check_distinct(std::span<const LoadStep> steps) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].out.empty()) order.push_back(i);
  }
  std::ranges::sort(order, std::less{}, [&](std::size_t i) { return steps[i].out.data(); });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto& before = steps[order[i - 1]].out;
    if (before.data() + before.size() <= steps[order[i]].out.data()) continue;
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("the memory of {} overlaps that of {}", what(steps[order[i]], order[i]),
                            what(steps[order[i - 1]], order[i - 1])));
  }
}

template <typename Wanted>
std::vector<LoadPart> cut_if(const LoadGroup& group, std::uint64_t largest, const Wanted& wanted) {
  std::vector<LoadPart> parts;
  for (const LoadStep* step : group.steps) {
    if (!wanted(*step)) continue;
    for (std::uint64_t from = 0; from < step->out.size(); from += largest)
      parts.push_back({.step = step, .from = from, .bytes = std::min(largest, step->out.size() - from)});
  }
  return parts;
}

}  // namespace

void check_steps(std::span<const LoadStep> steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) check_step(steps[i], i);
  check_distinct(steps);
}

std::vector<LoadGroup> group_steps(std::span<const LoadStep> steps) {
  std::vector<LoadGroup> groups;
  std::unordered_map<const ByteSource*, std::size_t> known;
  for (const LoadStep& step : steps) {
    if (step.out.empty()) continue;
    const auto [at, is_new] = known.try_emplace(step.source.get(), groups.size());
    if (is_new) groups.push_back({.source = step.source, .steps = {}});
    groups[at->second].steps.push_back(&step);
  }
  for (LoadGroup& group : groups)
    std::ranges::sort(group.steps, {}, [](const LoadStep* step) { return step->runs.offset; });
  return groups;
}

std::vector<LoadPart> cut_ranges(const LoadGroup& group, std::uint64_t largest) {
  return cut_if(group, largest, [](const LoadStep& step) { return step.runs.contiguous(); });
}

std::vector<LoadPart> cut_strided(const LoadGroup& group, std::uint64_t largest) {
  return cut_if(group, largest, [](const LoadStep& step) { return !step.runs.contiguous(); });
}

std::size_t count_near(std::span<const LoadPart> parts, std::uint64_t gap) {
  std::size_t count = 1;
  while (count < parts.size() && parts[count - 1].contiguous() && parts[count].contiguous() &&
         parts[count].begin() >= parts[count - 1].end() &&
         parts[count].begin() - parts[count - 1].end() <= gap) {
    ++count;
  }
  return count;
}

}  // namespace weighbridge::io
