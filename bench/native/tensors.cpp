// Slices, and checkpoints of other formats.
#include <optional>
#include <vector>

#include <weighbridge/weighbridge.hpp>

#include "work.hpp"

namespace bench {
namespace {

namespace wb = weighbridge;

/// The second eighth of the columns of every tensor, as a rank of eight takes it.
class Column final : public Work {
 public:
  explicit Column(Arguments arguments) : file_(wb::SafetensorsFile::open(arguments[0])) {}

  void run() override {
    const wb::Header& header = file_.header();
    for (std::size_t i = 0; i < header.size(); ++i) {
      const auto eighth = static_cast<std::int64_t>(header[i].shape[1] / 8);
      const wb::SliceIndex slice[] = {wb::Ellipsis{}, wb::Range{eighth, 2 * eighth}};
      parts_.push_back(file_.read_slice(header[i].name, slice));
    }
  }

  void drop() override { parts_.clear(); }

  [[nodiscard]] std::string listing() const override {
    std::string lines;
    for (const wb::Buffer& part : parts_) {
      lines.append(wb::sha256(*wb::memory_source(part))).append("\n");
    }
    return lines;
  }

 private:
  wb::SafetensorsFile file_;
  std::vector<wb::Buffer> parts_ = {};
};

class ReadCheckpoint final : public Work {
 public:
  explicit ReadCheckpoint(Arguments arguments) : path_(arguments[0]) {}

  void run() override { plan_ = wb::plan_safetensors(wb::open_checkpoint(path_)); }
  void drop() override { plan_.reset(); }
  [[nodiscard]] std::string listing() const override { return plan_->head.substr(8); }

 private:
  std::string path_;
  std::optional<wb::FilePlan> plan_ = {};
};

}  // namespace

WorkPtr make_column(Arguments arguments) { return std::make_unique<Column>(arguments); }
WorkPtr make_checkpoint(Arguments arguments) { return std::make_unique<ReadCheckpoint>(arguments); }

}  // namespace bench
