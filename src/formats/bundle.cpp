#include "formats/bundle.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "formats/bundle_extras.hpp"

namespace weighbridge {
namespace {

constexpr std::size_t kMostMembers = 64;
constexpr std::size_t kMostListed = 8;

/// A member that is to be read, and as what.
struct Pick {
  const BundleMember* member;
  std::optional<std::string> key;
  bool as_optimizer = false;
};

std::string dotted(std::string_view file, bool with_extension) {
  const std::size_t slash = file.find_last_of('/');
  const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
  const std::size_t dot = file.find_last_of('.');
  const bool extension = dot != std::string_view::npos && dot > name;
  std::string prefix(with_extension || !extension ? file : file.substr(0, dot));
  std::ranges::replace(prefix, '/', '.');
  return prefix;
}

/// The first few of them, quoted.
template <typename Range, typename Projection>
std::string list_some(const Range& range, Projection text) {
  std::vector<std::string> shown;
  for (const auto& item : range) {
    if (shown.size() == kMostListed) break;
    shown.push_back(fmt::format("'{}'", printable(text(item))));
  }
  const std::size_t more = std::size(range) - shown.size();
  return fmt::format("{}{}", fmt::join(shown, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

class Reader {
 public:
  Reader(const std::vector<BundleMember>& members, const OpenOptions& options)
      : members_(members), options_(options) {}

  Checkpoint run() {
    const std::vector<Pick> picks = choose();
    if (picks.size() > kMostMembers) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("{} checkpoints in one file, {} are read at most; choose one by its key",
                              picks.size(), kMostMembers));
    }
    if (picks.size() == 1 && members_.size() == 1) return read(picks.front());
    report_rest(picks);
    const auto of_model = [](const Pick& pick) { return !pick.as_optimizer; };
    names_prefixed_ = std::ranges::count_if(picks, of_model) > 1;
    for (const Pick& pick : picks) join(pick);
    return finish();
  }

 private:
  std::vector<Pick> choose() const {
    if (!options_.key) return choose_by_role();
    if (*options_.key == ".") return choose_all();
    if (const auto pick = find_by_prefix(*options_.key)) return {*pick};
    if (members_.size() == 1) return {{&members_.front(), options_.key}};
    const auto prefix = [](const BundleMember& member) { return member.prefix; };
    throw Error(ErrorCode::NoTensors,
                fmt::format("there is nothing at '{}'; the file has {}", printable(*options_.key),
                            list_some(members_, prefix)),
                *options_.key);
  }

  std::vector<Pick> choose_by_role() const {
    std::vector<Pick> picks;
    for (const BundleMember& member : members_) {
      if (member.role == BundleRole::Main) {
        picks.push_back({&member, std::nullopt});
      } else if (options_.optimizer != OptimizerPolicy::Skip) {
        picks.push_back({&member, ".", options_.optimizer == OptimizerPolicy::Separate});
      }
    }
    return picks;
  }

  std::vector<Pick> choose_all() const {
    std::vector<Pick> picks;
    picks.reserve(members_.size());
    for (const BundleMember& member : members_) picks.push_back({&member, "."});
    return picks;
  }

  /// The longest prefix counts: 'policy.optimizer' is not 'optimizer' within 'policy'.
  std::optional<Pick> find_by_prefix(std::string_view key) const {
    const BundleMember* best = nullptr;
    for (const BundleMember& member : members_) {
      const bool fits = key == member.prefix || key.starts_with(member.prefix + ".");
      if (fits && (best == nullptr || member.prefix.size() > best->prefix.size())) best = &member;
    }
    if (best == nullptr) return std::nullopt;
    const bool whole = key.size() == best->prefix.size();
    return Pick{best, whole ? "." : std::string(key.substr(best->prefix.size() + 1))};
  }

  Checkpoint read(const Pick& pick) const {
    OpenOptions options = options_;
    options.key = pick.key;
    try {
      Checkpoint checkpoint = pick.member->read(options);
      checkpoint.source_bytes = 0;  // the whole file counts
      return checkpoint;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::IoError) throw;
      throw Error(error.code(), fmt::format("'{}': {}", printable(pick.member->file), error.what()),
                  error.subject(), error.offset());
    }
  }

  void report_rest(const std::vector<Pick>& picks) {
    std::vector<const BundleMember*> rest;
    for (const BundleMember& member : members_) {
      if (std::ranges::find(picks, &member, &Pick::member) == picks.end()) rest.push_back(&member);
    }
    if (rest.empty()) return;
    const auto prefix = [](const BundleMember* member) { return member->prefix; };
    result_.findings.push_back(
        {.severity = Severity::Info,
         .code = "MembersNotTaken",
         .message = fmt::format("the file holds more checkpoints, which are not taken; their keys are {}",
                                list_some(rest, prefix)),
         .subject = rest.front()->prefix,
         .offset = std::nullopt});
  }

  void join(const Pick& pick) {
    Checkpoint part = read(pick);
    const std::string& prefix = pick.member->prefix;
    const bool named = names_prefixed_ || pick.as_optimizer;
    add(pick.as_optimizer ? result_.optimizer : result_.tensors, std::move(part.tensors), named, prefix);
    add(result_.optimizer, std::move(part.optimizer), true, prefix);
    for (Finding& finding : part.findings) {
      finding.message = fmt::format("'{}': {}", printable(pick.member->file), finding.message);
      result_.findings.push_back(std::move(finding));
    }
    formats_.insert(part.format);
    if (!result_.metadata) result_.metadata = std::move(part.metadata);
    parts_.push_back({.prefix = named ? prefix + "." : "", .extras = std::move(part.extras)});
    add_candidates(pick, part);
  }

  static void add(std::vector<TensorEntry>& all, std::vector<TensorEntry> some, bool named,
                  const std::string& prefix) {
    for (TensorEntry& entry : some) {
      if (named) entry.spec.name = fmt::format("{}.{}", prefix, entry.spec.name);
      all.push_back(std::move(entry));
    }
  }

  void add_candidates(const Pick& pick, const Checkpoint& part) {
    const auto below = [&](const std::string& path) {
      return path == "." ? pick.member->prefix : fmt::format("{}.{}", pick.member->prefix, path);
    };
    for (const RootCandidate& candidate : part.candidates) {
      result_.candidates.push_back({below(candidate.path), candidate.tensors});
    }
    result_.root = names_prefixed_ ? "." : result_.root == "." ? below(part.root) : result_.root;
  }

  Checkpoint finish() {
    std::uint64_t all = 0;
    for (const RootCandidate& candidate : result_.candidates) {
      const auto whole = std::ranges::find(members_, candidate.path, &BundleMember::prefix);
      if (whole != members_.end()) all += candidate.tensors;
    }
    result_.candidates.insert(result_.candidates.begin(), {".", all});
    result_.format = fmt::format("{}", fmt::join(formats_, " + "));
    result_.extras = join_extras(std::move(parts_));
    return std::move(result_);
  }

  const std::vector<BundleMember>& members_;
  const OpenOptions& options_;
  bool names_prefixed_ = false;
  Checkpoint result_;
  std::set<std::string> formats_;
  std::vector<ExtrasPart> parts_;
};

}  // namespace

std::vector<std::string> bundle_prefixes(const std::vector<std::string>& files) {
  std::vector<std::string> prefixes;
  prefixes.reserve(files.size());
  for (const std::string& file : files) prefixes.push_back(dotted(file, false));
  const std::set<std::string_view> distinct(prefixes.begin(), prefixes.end());
  if (distinct.size() == files.size()) return prefixes;
  prefixes.clear();
  for (const std::string& file : files) prefixes.push_back(dotted(file, true));
  return prefixes;
}

Finding members_not_read(const std::vector<std::string>& files) {
  return {.severity = Severity::Info,
          .code = "MembersNotRead",
          .message = fmt::format("files of the archive that are no checkpoints: {}",
                                 list_some(files, std::identity())),
          .subject = files.front(),
          .offset = std::nullopt};
}

Checkpoint read_bundle(const std::vector<BundleMember>& members, const OpenOptions& options) {
  return Reader(members, options).run();
}

}  // namespace weighbridge
