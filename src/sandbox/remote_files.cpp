#include "sandbox/remote_files.hpp"

#include <vector>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/file_source.hpp"
#include "io/input_folder.hpp"
#include "sandbox/direct_files.hpp"

namespace weighbridge::sandbox {
namespace {

class RemoteInputFolder final : public InputFolder {
 public:
  RemoteInputFolder(BrokerLine& line, std::uint32_t number, std::string path, ReadMode mode)
      : line_(line), number_(number), path_(std::move(path)), mode_(mode) {}

  SourcePtr find(std::string_view name, Links links) const override {
    io::check_input_name(name);  // says more than the broker's refusal
    io::Descriptor file = line_.ask({.kind = Request::FindBeside,
                                     .follow_links = links == Links::Follow,
                                     .number = number_,
                                     .text = std::string(name.substr(0, kLongestText))});
    if (!file) return nullptr;
    return io::file_source(std::move(file), path_ + "/" + std::string(name), mode_);
  }

 private:
  BrokerLine& line_;
  std::uint32_t number_;
  std::string path_;
  ReadMode mode_;
};

class RemoteOutputFolder final : public OutputFolder {
 public:
  explicit RemoteOutputFolder(BrokerLine& line) noexcept : line_(line) {}

  int create(std::string_view name) override {
    io::Descriptor file =
        line_.ask({.kind = Request::Create, .text = std::string(name.substr(0, kLongestText))});
    if (!file) throw Error(ErrorCode::IoError, "the broker gave no file");
    return files_.emplace_back(std::move(file)).get();
  }

  void commit() override { static_cast<void>(line_.ask({.kind = Request::Commit})); }

 private:
  BrokerLine& line_;
  std::vector<io::Descriptor> files_;
};

}  // namespace

io::Descriptor BrokerLine::ask(const RequestMessage& request) {
  const std::lock_guard lock(mutex_);
  channel_.send(serialize(request));
  Received received = channel_.receive(TakeDescriptors::Yes);
  const auto answer = parse_answer(received.bytes);
  if (!answer) throw Error(ErrorCode::IoError, "the broker gave no answer");
  if (answer->kind != Answer::Failed) return std::move(received.descriptor);
  if (const auto error = parse_error(answer->text)) throw Error(*error);
  throw Error(ErrorCode::IoError, "the broker refused");
}

void BrokerLine::tell(const RequestMessage& message) {
  const std::lock_guard lock(mutex_);
  channel_.send(serialize(message));
}

RemoteFiles::RemoteFiles(const WorkerOptions& options, const Channel& channel)
    : options_(options), line_(channel) {}

RemoteFiles::~RemoteFiles() = default;

SourcePtr RemoteFiles::open_input(std::size_t number) {
  io::Descriptor file = line_.ask({.kind = Request::OpenInput, .number = static_cast<std::uint32_t>(number)});
  if (!file) throw Error(ErrorCode::IoError, "the broker gave no file");
  return io::file_source(std::move(file), options_.inputs.at(number).native(), options_.mode);
}

InputFolderPtr RemoteFiles::input_folder(std::size_t number) {
  const std::filesystem::path folder = options_.inputs.at(number).parent_path();
  return std::make_shared<RemoteInputFolder>(line_, static_cast<std::uint32_t>(number),
                                             folder.empty() ? "." : folder.native(), options_.mode);
}

std::string RemoteFiles::input_name(std::size_t number) const {
  return options_.inputs.at(number).filename().string();
}

OutputFolder& RemoteFiles::output_folder() {
  if (options_.output.empty()) throw Error(ErrorCode::InvalidArgument, "there is no output");
  if (!output_) output_ = std::make_unique<RemoteOutputFolder>(line_);
  return *output_;
}

void RemoteFiles::put_result(std::string_view bytes) {
  check_result_size(options_, result_bytes_, bytes.size());
  result_bytes_ += bytes.size();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kLongestText))) {
    line_.tell({.kind = Request::Result, .text = std::string(bytes.substr(0, kLongestText))});
  }
}

}  // namespace weighbridge::sandbox
