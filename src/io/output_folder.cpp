#include <deque>

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
    return files_.emplace_back(folder_ / name, overwrite_).descriptor();
  }

  void commit() override {
    for (io::AtomicFile& file : files_) file.commit(durability_);
  }

 private:
  std::filesystem::path folder_;
  bool overwrite_;
  Durability durability_;
  std::deque<io::AtomicFile> files_;  // AtomicFile does not move.
};

}  // namespace

OutputFolder::~OutputFolder() = default;

std::unique_ptr<OutputFolder> open_output_folder(const std::filesystem::path& folder,
                                                 const WriteOptions& options) {
  return std::make_unique<DirectoryOutput>(folder, options);
}

}  // namespace weighbridge
