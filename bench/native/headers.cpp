// Opening, parsing and serialising headers.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <weighbridge/weighbridge.hpp>

#include <fcntl.h>
#include <unistd.h>

#include "work.hpp"

namespace bench {
namespace {

namespace wb = weighbridge;

/// Names, dtypes and shapes, in order of their offsets.
void list(const wb::Header& header, std::string& lines) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    const wb::TensorInfo tensor = header[i];
    lines.append(tensor.name).append(" ").append(wb::dtype_name(tensor.dtype));
    for (const std::uint64_t extent : tensor.shape) {
      lines.append(" ").append(std::to_string(extent));
    }
    lines.append("\n");
  }
}

class Open final : public Work {
 public:
  /// `keep`: all that was opened stays; otherwise each is let go before the next.
  Open(Arguments arguments, bool keep)
      : repeat_(std::stoul(arguments[0])), files_(arguments.begin() + 2, arguments.end()), keep_(keep) {
    static_cast<void>(wb::SafetensorsFile::open(arguments[1]));  // code that has never run is slow
    opened_.reserve(repeat_ * files_.size());
  }

  void run() override {
    for (std::size_t i = 0; i < repeat_; ++i) {
      if (!keep_) opened_.clear();
      if (files_.size() > 1) {
        opened_ = wb::SafetensorsFile::open_all(files_);
      } else {
        open(files_.front());
      }
    }
  }

  void drop() override { opened_.clear(); }

  [[nodiscard]] std::string listing() const override {
    std::string lines(refused_ == 0 ? "" : "refused\n");
    for (std::size_t i = 0; i < opened_.size() && i < files_.size(); ++i) {
      list(opened_[i].header(), lines);
    }
    return lines;
  }

 private:
  void open(const std::filesystem::path& file) {
    try {
      opened_.push_back(wb::SafetensorsFile::open(file));
    } catch (const wb::Error&) {
      ++refused_;
    }
  }

  std::size_t repeat_;
  std::vector<std::filesystem::path> files_;
  bool keep_;
  std::vector<wb::SafetensorsFile> opened_ = {};
  std::size_t refused_ = 0;
};

/// One file, by the calling thread alone.
class OpenAlone final : public Work {
 public:
  explicit OpenAlone(Arguments arguments) : file_(arguments[1]) {
    static_cast<void>(open(arguments[0]));  // code that has never run is slow
  }

  void run() override {
    try {
      header_ = open(file_);
    } catch (const wb::Error&) {
      refused_ = true;
    }
  }
  void drop() override { header_.reset(); }

  [[nodiscard]] std::string listing() const override {
    std::string lines(refused_ ? "refused\n" : "");
    if (header_) list(*header_, lines);
    return lines;
  }

 private:
  wb::Header open(const std::filesystem::path& file) {
    source_ = wb::open_file(file);
    return wb::read_header(*source_, {}, wb::large_page_memory());
  }

  std::filesystem::path file_;
  wb::SourcePtr source_ = {};
  std::optional<wb::Header> header_ = {};
  bool refused_ = false;
};

/// The calls that opening cannot do without.
class HeaderFile {
 public:
  explicit HeaderFile(const std::string& file)
      : file_(file), descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    take(0, std::as_writable_bytes(std::span(&length_, 1)));
  }
  HeaderFile(const HeaderFile&) = delete;
  HeaderFile& operator=(const HeaderFile&) = delete;
  ~HeaderFile() { ::close(descriptor_); }

  [[nodiscard]] std::size_t length() const { return length_; }

  /// Reads from there on in the text.
  void read(std::size_t at, std::span<std::byte> out) const { take(sizeof length_ + at, out); }

 private:
  void take(std::uint64_t at, std::span<std::byte> out) const {
    if (::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(at)) !=
        static_cast<ssize_t>(out.size()))
      throw std::runtime_error(file_ + " cannot be read");
  }

  const std::string& file_;
  int descriptor_;
  std::uint64_t length_ = 0;
};

/// Those calls and the copying: into one window of memory, and nothing is looked at.
class ReadHeader final : public Work {
 public:
  explicit ReadHeader(Arguments arguments) : repeat_(std::stoul(arguments[0])), file_(arguments[1]) {
    read();
  }

  void run() override {
    for (std::size_t i = 0; i < repeat_; ++i) read();
  }
  void drop() override {}
  [[nodiscard]] std::string listing() const override { return {}; }

 private:
  void read() {
    const HeaderFile file(file_);
    for (std::size_t at = 0; at < file.length();) {
      const std::size_t piece = std::min(window_.size(), file.length() - at);
      file.read(at, std::span(window_).first(piece));
      at += piece;
    }
  }

  std::size_t repeat_;
  std::string file_;
  std::vector<std::byte> window_ = std::vector<std::byte>(std::size_t{64} << 10);
};

/// The same, but each text into new memory of its own, which is kept.
class KeepHeader final : public Work {
 public:
  explicit KeepHeader(Arguments arguments) : repeat_(std::stoul(arguments[0])), file_(arguments[1]) {
    kept_.reserve(repeat_ + 1);
    keep();
  }

  void run() override {
    for (std::size_t i = 0; i < repeat_; ++i) keep();
  }
  void drop() override { kept_.clear(); }
  [[nodiscard]] std::string listing() const override { return {}; }

 private:
  void keep() {
    const HeaderFile file(file_);
    auto text = std::make_unique_for_overwrite<std::byte[]>(file.length());
    file.read(0, {text.get(), file.length()});
    kept_.push_back(std::move(text));
  }

  std::size_t repeat_;
  std::string file_;
  std::vector<std::unique_ptr<std::byte[]>> kept_ = {};
};

class Parse final : public Work {
 public:
  explicit Parse(Arguments arguments) {
    std::ifstream file(arguments[0], std::ios::binary);
    const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    bytes_.assign(bytes.begin(), bytes.end());
  }

  void run() override { header_ = wb::parse_header(bytes_, bytes_.size()); }
  void drop() override { header_.reset(); }

  [[nodiscard]] std::string listing() const override {
    std::string lines;
    list(*header_, lines);
    return lines;
  }

 private:
  std::vector<std::byte> bytes_ = {};
  std::optional<wb::Header> header_ = {};
};

class Serialize final : public Work {
 public:
  explicit Serialize(Arguments arguments) {
    const std::size_t count = std::stoul(arguments[0]);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t shuffled = i * 7919 % count;
      names_.push_back("model.layers." + std::to_string(shuffled / 100) + ".experts." +
                       std::to_string(shuffled) + ".scale");
    }
    for (const std::string& name : names_) {
      tensors_.push_back({.name = name, .dtype = wb::DType::F32, .shape = kShape, .first = kBytes});
    }
  }

  void run() override { plan_ = wb::plan_tensors(tensors_); }
  void drop() override { plan_.reset(); }
  [[nodiscard]] std::string listing() const override { return plan_->head.substr(8); }

 private:
  static constexpr std::uint64_t kShape[] = {4};
  static constexpr std::byte kBytes[16] = {};

  std::vector<std::string> names_ = {};
  std::vector<wb::BorrowedTensor> tensors_ = {};
  std::optional<wb::FilePlan> plan_ = {};
};

}  // namespace

WorkPtr make_open(Arguments arguments) { return std::make_unique<Open>(arguments, true); }
WorkPtr make_open_in_turn(Arguments arguments) { return std::make_unique<Open>(arguments, false); }
WorkPtr make_open_alone(Arguments arguments) { return std::make_unique<OpenAlone>(arguments); }
WorkPtr make_read(Arguments arguments) { return std::make_unique<ReadHeader>(arguments); }
WorkPtr make_keep(Arguments arguments) { return std::make_unique<KeepHeader>(arguments); }
WorkPtr make_parse(Arguments arguments) { return std::make_unique<Parse>(arguments); }
WorkPtr make_serialize(Arguments arguments) { return std::make_unique<Serialize>(arguments); }

}  // namespace bench
