// What happens to the tensors between reading and writing.
#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include <weighbridge/convert.hpp>
#include <weighbridge/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "convert/aliases.hpp"
#include "convert/cast.hpp"
#include "convert/rename.hpp"
#include "core/floats.hpp"

namespace weighbridge {
namespace {

Finding finding(Severity severity, std::string code, std::string message, std::string subject = {}) {
  return {.severity = severity,
          .code = std::move(code),
          .message = std::move(message),
          .subject = std::move(subject),
          .offset = std::nullopt};
}

/// Shell patterns, each of which is to match something.
class Patterns {
 public:
  explicit Patterns(const std::vector<std::string>& globs) : globs_(globs), used_(globs.size()) {}

  [[nodiscard]] bool empty() const { return globs_.empty(); }

  bool match(const std::string& name) {
    bool matched = false;
    for (std::size_t i = 0; i < globs_.size(); ++i) {
      if (!matches_glob(name, globs_[i])) continue;
      used_[i] = true;
      matched = true;
    }
    return matched;
  }

  void report(Findings& findings) const {
    for (std::size_t i = 0; i < globs_.size(); ++i) {
      if (used_[i]) continue;
      findings.push_back(finding(Severity::Warning, "PatternWithoutMatch",
                                 fmt::format("no name matches '{}'", printable(globs_[i])), globs_[i]));
    }
  }

 private:
  const std::vector<std::string>& globs_;
  std::vector<bool> used_;
};

void select_by_name(Checkpoint& checkpoint, const PassOptions& options) {
  if (options.select.empty() && options.drop.empty()) return;
  Patterns select(options.select);
  Patterns drop(options.drop);
  const std::size_t left_out = std::erase_if(checkpoint.tensors, [&](const TensorEntry& entry) {
    const bool selected = select.empty() || select.match(entry.spec.name);
    return drop.match(entry.spec.name) || !selected;
  });
  if (checkpoint.tensors.empty()) {
    throw Error(ErrorCode::NoTensors,
                fmt::format("none of {} tensors is selected, or all are dropped", left_out));
  }
  select.report(checkpoint.findings);
  drop.report(checkpoint.findings);
  if (left_out == 0) return;
  checkpoint.findings.push_back(finding(Severity::Info, "TensorsLeftOut",
                                        fmt::format("{} tensors are left out, as was asked for", left_out)));
}

/// Tensors over the same bytes get one source, so that they are still tied.
class Caster {
 public:
  explicit Caster(DType to) : to_(to) {}

  void cast(TensorEntry& entry) {
    SourcePtr& source = sources_[{entry.data.source.get(), entry.data.offset, entry.data.strides,
                                  entry.data.transform, entry.spec.dtype, entry.spec.shape}];
    if (!source) source = cast_source(entry, to_);
    // What the key points to lives on in the source.
    ++counts_[entry.spec.dtype];
    entry.spec.dtype = to_;
    entry.data = {.source = source, .offset = 0};
  }

  void report(Findings& findings) const {
    for (const auto& [from, count] : counts_) {
      const bool exact = bit_width(from) < bit_width(to_) && !(from == DType::F8_E8M0 && to_ == DType::F16);
      findings.push_back(
          finding(Severity::Info, "TensorsCast",
                  fmt::format("{} tensors of {} become {}{}", count, dtype_name(from), dtype_name(to_),
                              exact ? "" : ", rounded to nearest; what that loses does not come back")));
    }
  }

 private:
  using Key =
      std::tuple<const ByteSource*, std::uint64_t, std::vector<std::uint64_t>, Transform, DType, Shape>;

  DType to_;
  std::map<Key, SourcePtr> sources_;
  std::map<DType, std::size_t> counts_;
};

bool is_other_float(DType dtype) { return dtype == DType::F6_E2M3 || dtype == DType::F6_E3M2; }

void cast_numbers(Checkpoint& checkpoint, const PassOptions& options) {
  if (!options.dtype) return;
  if (!is_cast_target(*options.dtype)) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("tensors cannot be cast to {}", dtype_name(*options.dtype)));
  }
  Patterns chosen(options.cast);
  Caster caster(*options.dtype);
  std::size_t not_cast = 0;
  for (TensorEntry& entry : checkpoint.tensors) {
    if (!chosen.empty() && !chosen.match(entry.spec.name)) continue;
    if (is_other_float(entry.spec.dtype)) ++not_cast;
    if (is_real_float(entry.spec.dtype) && entry.spec.dtype != options.dtype) caster.cast(entry);
  }
  caster.report(checkpoint.findings);
  chosen.report(checkpoint.findings);
  if (not_cast == 0) return;
  checkpoint.findings.push_back(
      finding(Severity::Warning, "NotCast",
              fmt::format("{} tensors of F6 are not cast: how they are packed is not "
                          "agreed on",
                          not_cast)));
}

}  // namespace

Checkpoint apply_passes(Checkpoint checkpoint, const PassOptions& options) {
  if (options.change_names() || options.dtype) expand_aliases(checkpoint);
  select_by_name(checkpoint, options);
  cast_numbers(checkpoint, options);
  rename_tensors(checkpoint, options);
  return checkpoint;
}

std::uint64_t report_casts(const Checkpoint& checkpoint, Findings& findings) {
  std::uint64_t sum = 0;
  for (const TensorEntry& entry : checkpoint.tensors) {
    const std::uint64_t count = count_cast_overflows(*entry.data.source);
    if (count == 0) continue;
    sum += count;
    findings.push_back(
        finding(Severity::Warning, "CastOverflow",
                fmt::format("tensor '{}': {} of {} numbers are too large for {}", printable(entry.spec.name),
                            count, element_count(entry.spec.shape), dtype_name(entry.spec.dtype)),
                entry.spec.name));
  }
  return sum;
}

}  // namespace weighbridge
