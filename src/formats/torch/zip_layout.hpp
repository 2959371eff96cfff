// What kind of checkpoint a zip archive is, by the names of its entries, and where its parts are.
#pragma once

#include <cstdint>
#include <string>

#include "formats/zip/archive.hpp"

namespace weighbridge::torch {

enum class ZipKind : std::uint8_t { Checkpoint, TorchScript };

struct ZipLayout {
  ZipKind kind = ZipKind::Checkpoint;
  std::string root;  ///< The one top folder with its slash, or empty when there is none.
};

/// Throws Unsupported naming what else the archive is, UnknownFormat for an archive of anything,
/// MalformedArchive when it has several top folders.
ZipLayout classify_zip(const zip::Archive& archive);

}  // namespace weighbridge::torch
