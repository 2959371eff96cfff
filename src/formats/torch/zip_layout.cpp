#include "formats/torch/zip_layout.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::torch {
namespace {

/// An archive that is read later, told by one of its entries.
struct Sign {
  std::string_view entry;  ///< Below the top folder.
  std::string_view what;
};

constexpr std::array kForeign = {
    Sign{".data/extern_modules", "torch.package archives"},
    Sign{"archive_format", "PT2 export archives"},
    Sign{"model.json", "TorchScript archives of torch 1.0 and 1.1"},
    Sign{"policy.pth", "stable-baselines3 archives"},
    Sign{"pytorch_variables.pth", "stable-baselines3 archives"},
    Sign{"model.weights.h5", "Keras archives"},
};

/// The first path component of the first entry with its slash, unless data.pkl lies outside of folders.
std::string find_root(const zip::Archive& archive) {
  if (archive.entries().empty() || archive.find("data.pkl") != nullptr) return {};
  const std::string& first = archive.entries().front().name;
  return first.substr(0, first.find('/') + 1);
}

void check_single_root(const zip::Archive& archive, const std::string& root) {
  const auto outside = std::ranges::find_if(
      archive.entries(), [&](const zip::Entry& entry) { return !entry.name.starts_with(root); });
  if (outside == archive.entries().end()) return;
  throw Error(ErrorCode::MalformedArchive,
              fmt::format("entry '{}' lies outside of the archive's folder '{}'", printable(outside->name),
                          printable(root)),
              outside->name);
}

void refuse_foreign(const zip::Archive& archive, const std::string& root) {
  for (const Sign& sign : kForeign) {
    if (archive.find(root + std::string(sign.entry)) == nullptr && archive.find(sign.entry) == nullptr)
      continue;
    throw Error(ErrorCode::Unsupported, fmt::format("not yet supported: {}", sign.what));
  }
}

bool is_npz(const zip::Archive& archive) {
  return !archive.entries().empty() && std::ranges::all_of(archive.entries(), [](const zip::Entry& entry) {
    return entry.name.ends_with(".npy");
  });
}

}  // namespace

ZipLayout classify_zip(const zip::Archive& archive) {
  ZipLayout layout{.kind = ZipKind::Checkpoint, .root = find_root(archive)};
  refuse_foreign(archive, layout.root);
  if (is_npz(archive)) throw Error(ErrorCode::Unsupported, "not yet supported: numpy archives (.npz)");
  if (archive.find(layout.root + "data.pkl") == nullptr) {
    throw Error(ErrorCode::UnknownFormat,
                "a zip archive without data.pkl in its top folder, so no PyTorch checkpoint");
  }
  check_single_root(archive, layout.root);
  if (archive.find(layout.root + "constants.pkl") != nullptr) layout.kind = ZipKind::TorchScript;
  return layout;
}

}  // namespace weighbridge::torch
