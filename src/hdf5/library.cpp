#include "formats/hdf5/library.hpp"

#include <utility>

#include "hdf5/failure.hpp"
#include "hdf5/hdf5.hpp"
#include "hdf5/walk.hpp"

namespace weighbridge {
namespace {

/// Decoded chunks that are kept, of one file. A band of chunks must fit, or each is decoded again and again.
constexpr std::uint64_t kCacheBytes = std::uint64_t{256} << 20;

class Library final : public Hdf5Library {
 public:
  [[nodiscard]] hdf5::Content read(SourcePtr source, const Limits& limits) const override {
    set_up();
    hdf5::Surroundings around{.file = std::make_shared<hdf5::File>(std::move(source)),
                              .cache = std::make_shared<hdf5::ChunkCache>(kCacheBytes),
                              .limits = limits,
                              .room = {.bytes = limits.sidecar_bytes, .attributes = limits.tensors}};
    try {
      return walk(around);
    } catch (...) {
      around.file->rethrow();  // why libhdf5 got no bytes says more than that it got none
      throw;
    }
  }

 private:
  /// No plug-in is looked for, nothing is printed, and nothing is left to do at exit.
  static void set_up() {
    static const bool kDone = [] {
      H5dont_atexit();
      H5open();
      H5PLset_loading_state(0);
      return true;
    }();
    static_cast<void>(kDone);
    hdf5::silence();
  }
};

}  // namespace

const Hdf5Library* hdf5_library() noexcept {
  static const Library kLibrary;
  return &kLibrary;
}

std::string_view hdf5_version() noexcept {
  constexpr std::string_view kText = H5_VERS_INFO;
  return kText.substr(kText.rfind(' ') + 1);
}

}  // namespace weighbridge
