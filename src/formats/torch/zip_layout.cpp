#include "formats/torch/zip_layout.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"

namespace weighbridge::torch {
namespace {

/// An archive told by one of its entries, below the top folder.
struct Sign {
  std::string_view entry;
  std::string_view what;
};

constexpr std::array kForeign = {
    Sign{"archive_format", "PT2 export archives"},
    Sign{"serialized_exported_program.json", "PT2 export archives"},
    Sign{"model.weights.h5", "Keras archives without config.json"},
};

struct KindSign {
  std::string_view entry;
  ZipKind kind;
};

/// The first that is there decides.
constexpr std::array kKinds = {
    KindSign{".data/extern_modules", ZipKind::Package},   KindSign{"policy.pth", ZipKind::Policies},
    KindSign{"pytorch_variables.pth", ZipKind::Policies}, KindSign{"bytecode.pkl", ZipKind::Mobile},
    KindSign{"constants.pkl", ZipKind::TorchScript},      KindSign{"data.pkl", ZipKind::Checkpoint},
    KindSign{"model.json", ZipKind::OldScript},
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

}  // namespace

ZipLayout classify_zip(const zip::Archive& archive) {
  const std::string root = find_root(archive);
  refuse_foreign(archive, root);
  const auto sign = std::ranges::find_if(kKinds, [&](const KindSign& candidate) {
    return archive.find(root + std::string(candidate.entry)) != nullptr;
  });
  const bool script =
      sign != kKinds.end() && (sign->kind == ZipKind::Mobile || sign->kind == ZipKind::TorchScript);
  if (sign == kKinds.end() || (script && archive.find(root + "data.pkl") == nullptr)) {
    throw Error(ErrorCode::UnknownFormat,
                "a zip archive without data.pkl in its top folder, so no PyTorch checkpoint");
  }
  check_single_root(archive, root);
  return {.kind = sign->kind, .root = root};
}

}  // namespace weighbridge::torch
