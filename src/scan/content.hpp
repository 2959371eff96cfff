// The parts of a scan: each looks into one kind of content and notes what it finds.
//
// Each gives the name of the format, or nothing when the content is none of it. Damage is noted, and
// thrown as Error only where nothing more can be read; scan_content() notes that too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <weighbridge/byte_source.hpp>
#include <weighbridge/limits.hpp>
#include <weighbridge/scan.hpp>

#include "scan/evidence.hpp"

namespace weighbridge::scanning {

/// One scan of a file.
struct Scan {
  const Limits& limits;
  Evidence evidence;
  std::uint64_t work_left;  ///< Bytes that may still be looked into, all layers together.
  const Hdf5Library* hdf5 = nullptr;

  /// Throws LimitExceeded when the file asks for more work than its size allows.
  void charge(std::uint64_t bytes);
};

/// Something to look into.
struct Content {
  SourcePtr source;
  std::string place;        ///< "model.zip!policy.pth"
  std::string name;         ///< Of the file or entry alone.
  std::uint32_t depth = 0;  ///< Containers around it.
  bool is_whole = false;    ///< It is the file itself, or all that a compressed file holds.
};

/// Content of `name` inside of `outer`.
Content inside(const Content& outer, SourcePtr source, std::string_view name);

/// Whatever it is. The one function that all containers call for what they hold; notes a limit instead
/// of going deeper than limits.archive_depth. Throws IoError alone, for failures of the file itself.
std::string scan_content(Scan& scan, const Content& content);

std::string scan_safetensors(Scan& scan, const Content& content);
std::string scan_zip(Scan& scan, const Content& content);
/// What readers that go by local headers, or put up with contradictions, would find in a zip archive.
void scan_zip_loosely(Scan& scan, const Content& content);
std::string scan_tar(Scan& scan, const Content& content);
std::string scan_compressed(Scan& scan, const Content& content);
std::string scan_legacy(Scan& scan, const Content& content);
/// The description of a model in an HDF5 file.
std::string scan_hdf5(Scan& scan, const Content& content);
/// The same as a file of its own, as in archives of Keras.
std::string scan_keras_config(Scan& scan, const Content& content);
std::string scan_npy(Scan& scan, const Content& content);
/// Models of ONNX: the files, operators and libraries that they name.
std::string scan_onnx(Scan& scan, const Content& content);
std::string scan_gguf(Scan& scan, const Content& content);
/// 7z, rar and other packings that no loader opens.
std::string scan_packed(Scan& scan, const Content& content);
/// Pickles one after another.
std::string scan_pickles(Scan& scan, const Content& content);

bool is_keras_config(const ByteSource& source);
bool is_npy(const ByteSource& source);
bool is_onnx(const ByteSource& source);
bool is_gguf(const ByteSource& source);
bool is_compressed(const ByteSource& source);
bool is_packed(const ByteSource& source);

/// The first bytes, at most `most`.
std::string read_head(const ByteSource& source, std::uint64_t most);

/// Whether a name claims to be a pickle ("data.pkl"), or to be something that torch.load is given.
bool names_pickle(std::string_view name) noexcept;
bool names_checkpoint(std::string_view name) noexcept;

}  // namespace weighbridge::scanning
