#include <deque>
#include <string>

#include <weighbridge/error.hpp>
#include <weighbridge/folder.hpp>
#include <weighbridge/write.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/atomic_file.hpp"

namespace weighbridge {
namespace {

class DirectoryOutput final : public OutputFolder {
 public:
  DirectoryOutput(std::filesystem::path folder, const WriteOptions& options)
      : folder_(std::move(folder)), overwrite_(options.overwrite), durability_(options.durability) {}

  int create(std::string_view name) override {
    if (!is_plain_file_name(name)) {
      throw Error(ErrorCode::InvalidArgument, fmt::format("'{}' is not a plain file name", printable(name)),
                  std::string(name));
    }
    return files_.emplace_back(std::string(name), folder_ / name, overwrite_).file.descriptor();
  }

  void commit() override {
    if (files_.size() > 1) {
      for (Output& output : files_) {
        if (output.describes_others()) output.file.remove_old();
      }
    }
    publish(false);
    publish(true);
  }

 private:
  struct Output {
    Output(std::string called, const std::filesystem::path& path, bool overwrite)
        : name(std::move(called)), file(path, overwrite) {}
    [[nodiscard]] bool describes_others() const { return name.ends_with(".json"); }

    std::string name;
    io::AtomicFile file;
  };

  void publish(bool descriptions) {
    for (Output& output : files_) {
      if (output.describes_others() == descriptions) output.file.commit(durability_);
    }
  }

  std::filesystem::path folder_;
  bool overwrite_;
  Durability durability_;
  std::deque<Output> files_;  // AtomicFile does not move.
};

}  // namespace

OutputFolder::~OutputFolder() = default;

std::unique_ptr<OutputFolder> open_output_folder(const std::filesystem::path& folder,
                                                 const WriteOptions& options) {
  return std::make_unique<DirectoryOutput>(folder, options);
}

}  // namespace weighbridge
