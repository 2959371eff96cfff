// What stands in for libhdf5 in a build without it.
#include <weighbridge/error.hpp>

#include "formats/hdf5/library.hpp"
#include "hdf5/hdf5.hpp"

namespace weighbridge {
namespace {

class NoLibrary final : public Hdf5Library {
 public:
  [[nodiscard]] hdf5::Content read(SourcePtr /*source*/, const Limits& /*limits*/) const override {
    throw Error(ErrorCode::Unsupported, "this is an HDF5 file, and this program was built without HDF5");
  }
};

}  // namespace

const Hdf5Library* hdf5_library() noexcept {
  static const NoLibrary kLibrary;
  return &kLibrary;
}

std::string_view hdf5_version() noexcept { return {}; }

}  // namespace weighbridge
