#include "io/input_folder.hpp"

#include <cerrno>

#include <weighbridge/error.hpp>
#include <weighbridge/folder.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"
#include "io/descriptor.hpp"

namespace weighbridge {
namespace {

class DirectoryInput final : public InputFolder {
 public:
  DirectoryInput(io::Descriptor folder, std::string path, ReadMode mode)
      : folder_(std::move(folder)), path_(std::move(path)), mode_(mode) {}

  SourcePtr find(std::string_view name, Links links) const override;

 private:
  io::Descriptor folder_;
  std::string path_;
  ReadMode mode_;
};

SourcePtr DirectoryInput::find(std::string_view name, Links links) const {
  io::check_input_name(name);
  // Without O_NONBLOCK a FIFO would wait for a writer; open_descriptor() then refuses it.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == Links::Refuse ? O_NOFOLLOW : 0);
  const io::Descriptor file(::openat(folder_.get(), std::string(name).c_str(), flags));
  if (!file) {
    if (errno == ENOENT) return nullptr;
    throw Error::from_errno(errno, "open", path_ + "/" + std::string(name));
  }
  return open_descriptor(file.get(), mode_);
}

}  // namespace

void io::check_input_name(std::string_view name) {
  if (is_plain_file_name(name)) return;
  throw Error(ErrorCode::MalformedCheckpoint,
              fmt::format("'{}' is not the plain name of a file beside the input", printable(name)),
              std::string(name));
}

InputFolder::~InputFolder() = default;

bool is_plain_file_name(std::string_view name) noexcept {
  constexpr std::size_t kLongest = 255;
  constexpr std::string_view kForbidden("/\\\0", 3);
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         name.find_first_of(kForbidden) == std::string_view::npos;
}

std::filesystem::path checkpoint_folder(const std::filesystem::path& folder) {
  std::error_code ignored;  // what cannot be looked at cannot be opened either
  const bool saved_model = std::filesystem::exists(folder / "saved_model.pb", ignored) &&
                           std::filesystem::is_directory(folder / "variables", ignored);
  return saved_model ? folder / "variables" : folder;
}

InputFolderPtr open_input_folder(const std::filesystem::path& folder, ReadMode mode) {
  const std::string path = folder.empty() ? "." : folder.string();
  io::Descriptor descriptor(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) throw Error::from_errno(errno, "open", path);
  return std::make_shared<DirectoryInput>(std::move(descriptor), path, mode);
}

}  // namespace weighbridge
