#include "hdf5/walk.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "base/utf8.hpp"
#include "hdf5/failure.hpp"

namespace weighbridge::hdf5 {
namespace {

struct Link {
  std::string name;
  H5L_type_t type;
  haddr_t address;           ///< Of hard links.
  std::size_t target_bytes;  ///< Of soft links.
};

struct Links {
  std::vector<Link> links;
  std::uint64_t most;
};

herr_t note_link(hid_t /*group*/, const char* name, const H5L_info_t* info, void* data) noexcept {
  try {
    auto& links = *static_cast<Links*>(data);
    const bool hard = info->type == H5L_TYPE_HARD;
    links.links.push_back(
        {name, info->type, hard ? info->u.address : HADDR_UNDEF, hard ? 0 : info->u.val_size});
    return links.links.size() > links.most ? -1 : 0;
  } catch (...) {
    return -1;
  }
}

std::string join(const std::string& group, std::string_view name) {
  return group.empty() ? std::string(name) : fmt::format("{}/{}", group, name);
}

/// libhdf5 takes a name with slashes for a path, and points for the group itself.
void check_name(const std::string& name, const std::string& group) {
  const bool sound = !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
  if (sound && !find_invalid_utf8(name)) return;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("the HDF5 group '/{}' has a member named '{}'", printable(group), printable(name)),
              name);
}

/// The path that a soft link means: from its group on, or from the root.
std::string resolve(const std::string& group, std::string_view target) {
  std::string path = target.starts_with('/') ? "" : group;
  while (!target.empty()) {
    const std::size_t slash = target.find('/');
    const std::string_view part = target.substr(0, slash);
    if (!part.empty() && part != ".") path = join(path, part);
    target = slash == std::string_view::npos ? "" : target.substr(slash + 1);
  }
  return path;
}

/// What makes two opaque bytes a number belongs to a dataset under every name; all else is told once.
bool names_type(const Attribute& attribute) {
  return attribute.name == "dtype" && text_of(&attribute) == "bfloat16";
}

class Walker {
 public:
  explicit Walker(Surroundings& around) : around_(around), links_left_(around.limits.tensors) {}

  Content run() && {
    const Handle root = checked(H5Gopen2(file(), "/", H5P_DEFAULT), H5Gclose, "the root", {});
    H5O_info_t info{};
    if (H5Oget_info2(root.get(), &info, H5O_INFO_BASIC) < 0) throw Error(failure("the root"));
    open_.push_back({.path = "", .address = info.addr});
    while (!open_.empty()) {
      const Place place = std::move(open_.back());
      open_.pop_back();
      visit(place);
      around_.file->rethrow();
    }
    resolve_soft_links();
    return std::move(content_);
  }

 private:
  struct Place {
    std::string path;
    haddr_t address = HADDR_UNDEF;
    std::uint32_t depth = 0;
  };
  struct SoftLink {
    std::string group;
    std::string name;
    std::string target;
  };

  [[nodiscard]] hid_t file() const noexcept { return around_.file->id(); }

  void visit(const Place& place) {
    Handle object = checked(H5Oopen_by_addr(file(), place.address), H5Oclose, "an object", place.path);
    switch (H5Iget_type(object.get())) {
      case H5I_GROUP:
        visit_group(object.get(), place);
        break;
      case H5I_DATASET:
        visit_dataset(std::move(object), place);
        break;
      case H5I_DATATYPE:  // a name for a type, which its users carry
        break;
      default:
        throw Error(failure("an object", place.path));
    }
  }

  /// Two paths to one group would be two to all that is in it, and a circle of them has no end.
  void visit_group(hid_t group, const Place& place) {
    const auto [known, fresh] = groups_.emplace(place.address, place.path);
    if (!fresh) {
      throw Error(
          ErrorCode::MalformedCheckpoint,
          fmt::format("the HDF5 group '/{}' is '/{}' again", printable(place.path), printable(known->second)),
          place.path);
    }
    content_.groups.push_back(
        {.path = place.path, .attributes = read_attributes(group, place.path, around_.room)});
    const std::vector<Link> links = list_links(group, place);
    for (auto link = links.rbegin(); link != links.rend(); ++link) follow(group, *link, place);
  }

  /// A dataset that has several names is read once.
  void visit_dataset(Handle object, const Place& place) {
    const auto known = datasets_.find(place.address);
    if (known != datasets_.end()) {
      add_again(known->second, place.path);
      return;
    }
    datasets_.emplace(place.address, content_.datasets.size());
    content_.datasets.push_back(read_dataset(std::move(object), place.path, around_));
  }

  void add_again(std::size_t dataset, const std::string& path) {
    Dataset copy = content_.datasets[dataset];
    copy.path = path;
    std::erase_if(copy.attributes, [](const Attribute& attribute) { return !names_type(attribute); });
    content_.datasets.push_back(std::move(copy));
  }

  std::vector<Link> list_links(hid_t group, const Place& place) {
    Links links{.links = {}, .most = links_left_};
    const herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, note_link, &links);
    if (links.links.size() > links_left_) {
      throw Error(ErrorCode::LimitExceeded,
                  fmt::format("the HDF5 file has more than {} objects", around_.limits.tensors));
    }
    if (status < 0) throw Error(failure("a group", place.path));
    links_left_ -= links.links.size();
    std::set<std::string_view> names;
    for (const Link& link : links.links) {
      check_name(link.name, place.path);
      if (names.insert(link.name).second) continue;
      throw Error(ErrorCode::NameCollision,
                  fmt::format("the HDF5 group '/{}' has two members named '{}'", printable(place.path),
                              printable(link.name)),
                  link.name);
    }
    return std::move(links.links);
  }

  void follow(hid_t group, const Link& link, const Place& place) {
    const std::string path = join(place.path, link.name);
    check_depth(path, place.depth);
    if (link.type == H5L_TYPE_HARD) {
      open_.push_back({.path = path, .address = link.address, .depth = place.depth + 1});
    } else if (link.type == H5L_TYPE_SOFT) {
      soft_links_.push_back({place.path, link.name, read_target(group, link, path)});
    } else {
      const bool external = link.type == H5L_TYPE_EXTERNAL;
      throw Error(ErrorCode::Unsupported,
                  fmt::format("'/{}' is {}", printable(path),
                              external ? "a link to another file, which is never opened"
                                       : "a link of a kind that only a plug-in could follow"),
                  path);
    }
  }

  void check_depth(const std::string& path, std::uint32_t depth) const {
    if (depth < around_.limits.walk_depth && path.size() <= around_.limits.name_bytes) return;
    throw Error(
        ErrorCode::LimitExceeded,
        fmt::format("'/{}' lies deeper in the HDF5 file than {} groups, or {} bytes",
                    printable(path.substr(0, 256)), around_.limits.walk_depth, around_.limits.name_bytes));
  }

  std::string read_target(hid_t group, const Link& link, const std::string& path) {
    around_.room.take(link.target_bytes, path);
    std::string target(link.target_bytes, '\0');
    if (H5Lget_val(group, link.name.c_str(), target.data(), target.size(), H5P_DEFAULT) < 0) {
      throw Error(failure("a soft link", path));
    }
    return target.substr(0, target.find('\0'));
  }

  /// By the names that were found: libhdf5 never follows a path for us.
  void resolve_soft_links() {
    if (soft_links_.empty()) return;
    std::map<std::string, std::size_t> by_path;
    for (std::size_t i = 0; i < content_.datasets.size(); ++i) by_path.emplace(content_.datasets[i].path, i);
    std::ranges::reverse(soft_links_);
    for (const SoftLink& link : soft_links_) {
      const auto found = by_path.find(resolve(link.group, link.target));
      const std::string path = join(link.group, link.name);
      if (found == by_path.end()) {
        throw Error(ErrorCode::MalformedCheckpoint,
                    fmt::format("'/{}' is a soft link to '{}', which is no dataset of this file",
                                printable(path), printable(link.target)),
                    path);
      }
      add_again(found->second, path);
    }
  }

  Surroundings& around_;
  std::uint64_t links_left_;
  std::vector<Place> open_;
  std::unordered_map<haddr_t, std::string> groups_;
  std::unordered_map<haddr_t, std::size_t> datasets_;
  std::vector<SoftLink> soft_links_;
  Content content_;
};

}  // namespace

Content walk(Surroundings& around) { return Walker(around).run(); }

}  // namespace weighbridge::hdf5
