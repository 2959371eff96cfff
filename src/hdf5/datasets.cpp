#include "hdf5/datasets.hpp"

#include <weighbridge/text.hpp>

#include <fmt/format.h>

#include "base/checked.hpp"
#include "formats/hdf5/fill_source.hpp"
#include "hdf5/chunks.hpp"
#include "hdf5/failure.hpp"
#include "hdf5/texts.hpp"
#include "hdf5/types.hpp"

namespace weighbridge::hdf5 {
namespace {

/// Datasets may declare this many times what is stored of them ...
constexpr std::uint64_t kMostExpansion = 1000;

constexpr std::uint64_t kMostCompactBytes = 64 * 1024;

class Reader {
 public:
  Reader(Handle dataset, std::string path, Surroundings& around)
      : dataset_(std::move(dataset)), around_(around) {
    out_.path = std::move(path);
  }

  Dataset run() && {
    creation_ = checked(H5Dget_create_plist(id()), H5Pclose, "the layout", out_.path);
    const H5D_layout_t layout = H5Pget_layout(creation_.get());
    refuse_elsewhere(layout);
    const Handle type = checked(H5Dget_type(id()), H5Tclose, "the type", out_.path);
    const Handle space = checked(H5Dget_space(id()), H5Sclose, "the shape", out_.path);
    out_.type = describe_type(type.get(), out_.path);
    out_.shape = read_shape(space.get(), out_.path);
    out_.attributes = read_attributes(id(), out_.path, around_.room);
    if (out_.shape) find_bytes(layout, type.get());
    return std::move(out_);
  }

 private:
  [[nodiscard]] hid_t id() const noexcept { return dataset_.get(); }

  [[noreturn]] void refuse(ErrorCode code, std::string_view what) const {
    throw Error(code, fmt::format("dataset '{}' {}", printable(out_.path), what), out_.path);
  }

  /// Before anything else is asked of the dataset: to answer, libhdf5 may open what is named here.
  void refuse_elsewhere(H5D_layout_t layout) const {
    if (layout == H5D_VIRTUAL)
      refuse(ErrorCode::Unsupported, "is virtual: its data are those of other datasets");
    if (H5Pget_external_count(creation_.get()) != 0) {
      refuse(ErrorCode::Unsupported, "has its data in other files, which are never opened");
    }
  }

  void find_bytes(H5D_layout_t layout, hid_t type) {
    bytes_ = out_.type.simple.bytes;
    for (const std::uint64_t size : *out_.shape) {
      const auto next = checked_mul(bytes_, size);
      if (!next) refuse(ErrorCode::ValidationOverflow, "has 2^64 or more bytes");
      bytes_ = *next;
    }
    switch (layout) {
      case H5D_COMPACT:
        read_compact(type);
        break;
      case H5D_CONTIGUOUS:
        find_contiguous(type);
        break;
      case H5D_CHUNKED:
        find_chunks(type);
        break;
      default:
        refuse(ErrorCode::Unsupported, "has an unknown layout");
    }
    if (out_.type.simple.kind == TypeClass::String) read_texts(id(), type, bytes_, out_, around_.room);
  }

  void check_expansion(std::uint64_t stored) const {
    if (bytes_ <= around_.limits.expansion_floor || bytes_ / kMostExpansion <= stored) return;
    refuse(ErrorCode::LimitExceeded,
           fmt::format("declares {} bytes and stores {}; the limit is {} times that", bytes_, stored,
                       kMostExpansion));
  }

  [[nodiscard]] std::vector<std::byte> fill_value(hid_t type) const {
    std::vector<std::byte> fill(out_.type.simple.bytes);
    H5D_fill_value_t defined = H5D_FILL_VALUE_UNDEFINED;
    if (H5Pfill_value_defined(creation_.get(), &defined) < 0)
      throw Error(failure("the fill value", out_.path));
    // What is undefined is whatever a reader has in memory: zeros, here.
    if (defined == H5D_FILL_VALUE_UNDEFINED || out_.type.variable) return fill;
    if (H5Pget_fill_value(creation_.get(), type, fill.data()) < 0)
      throw Error(failure("the fill value", out_.path));
    return fill;
  }

  void fill(hid_t type) {
    check_expansion(0);
    out_.source = fill_source(fill_value(type), bytes_);
    out_.storage = "never written";
  }

  void find_contiguous(hid_t type) {
    out_.storage = "contiguous";
    if (is_elsewhere()) return;
    const haddr_t at = H5Dget_offset(id());
    if (bytes_ == 0 || at == HADDR_UNDEF) return fill(type);
    const hsize_t stored = H5Dget_storage_size(id());
    if (stored != bytes_) {
      refuse(ErrorCode::MalformedCheckpoint,
             fmt::format("has {} bytes in the file, its type and shape need {}", stored, bytes_));
    }
    const SourcePtr& file = around_.file->source();
    if (!range_fits(at, bytes_, file->size())) {
      refuse(ErrorCode::MalformedCheckpoint,
             fmt::format("lies at bytes {} to {} of a file of {}", at, at + bytes_, file->size()));
    }
    out_.source = file;
    out_.offset = at;
    out_.in_place = true;
  }

  /// Elements of variable length are references into the file, of another size there than in memory.
  [[nodiscard]] bool is_elsewhere() const {
    return out_.type.variable || out_.type.simple.kind == TypeClass::Other;
  }

  void read_compact(hid_t type) {
    out_.storage = "compact";
    if (bytes_ > kMostCompactBytes)
      refuse(ErrorCode::MalformedCheckpoint, "is too large for an object's header");
    if (is_elsewhere()) return;
    around_.room.take(bytes_, out_.path);
    std::vector<std::byte> bytes(bytes_);
    // Without a conversion: the type in memory is that of the file.
    if (bytes_ > 0 && H5Dread(id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0) {
      throw Error(failure("the data", out_.path));
    }
    out_.source = memory_source(Buffer::take(std::move(bytes)));
  }

  void find_chunks(hid_t type) {
    ChunkLayout layout = describe_chunks(creation_.get(), out_.path);
    layout.shape = *out_.shape;
    layout.element_bytes = out_.type.simple.bytes;
    if (layout.chunk.size() != layout.shape.size())
      refuse(ErrorCode::MalformedCheckpoint, "has chunks of another rank");
    out_.storage = "chunked";
    for (const Filter filter : layout.filters) out_.storage += fmt::format(", {}", filter_name(filter));
    if (is_elsewhere()) return;
    const hsize_t stored = H5Dget_storage_size(id());
    if (bytes_ == 0 || stored == 0) return fill(type);
    check_expansion(stored);
    layout.fill = fill_value(type);
    out_.source = chunk_source(std::move(layout), open_chunks(around_.file, id(), out_.path), around_.cache);
  }

  Handle dataset_;
  Handle creation_;
  Surroundings& around_;
  Dataset out_;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Dataset read_dataset(Handle dataset, std::string path, Surroundings& around) {
  return Reader(std::move(dataset), std::move(path), around).run();
}

}  // namespace weighbridge::hdf5
