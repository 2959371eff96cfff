// What kind of checkpoint a zip archive is, by the names of its entries, and where its parts are.
#pragma once

#include <cstdint>
#include <string>

#include "formats/zip/archive.hpp"

namespace weighbridge::torch {

enum class ZipKind : std::uint8_t {
  Checkpoint,
  TorchScript,  ///< Since 1.3.
  Mobile,       ///< TorchScript with bytecode for the lite interpreter.
  OldScript,    ///< TorchScript of 1.0 to 1.2: the modules are a JSON document.
  Package,      ///< torch.package
  Policies,     ///< stable-baselines3: checkpoints of their own as entries.
};

struct ZipLayout {
  ZipKind kind = ZipKind::Checkpoint;
  std::string root;  ///< The one top folder with its slash, or empty when there is none.
};

/// Throws Unsupported naming what else the archive is, UnknownFormat for an archive of anything,
/// MalformedArchive when it has several top folders.
ZipLayout classify_zip(const zip::Archive& archive);

}  // namespace weighbridge::torch
