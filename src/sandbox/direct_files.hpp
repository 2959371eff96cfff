// Files opened by whoever asks: the broker, or the caller when there is no worker.
#pragma once

#include <memory>
#include <string>

#include <weighbridge/worker.hpp>

namespace weighbridge::sandbox {

class DirectFiles final : public WorkerFiles {
 public:
  /// `options` is borrowed.
  explicit DirectFiles(const WorkerOptions& options) : options_(options) {}

  SourcePtr open_input(std::size_t number) override;
  InputFolderPtr input_folder(std::size_t number) override;
  [[nodiscard]] std::string input_name(std::size_t number) const override;
  OutputFolder& output_folder() override;
  void put_result(std::string_view bytes) override;

  [[nodiscard]] std::string take_result() noexcept { return std::move(result_); }

 private:
  [[nodiscard]] const std::filesystem::path& input(std::size_t number) const;

  const WorkerOptions& options_;
  std::unique_ptr<OutputFolder> output_;
  std::string result_;
};

/// Throws LimitExceeded when `bytes` more would be too much of a result.
void check_result_size(const WorkerOptions& options, std::size_t already, std::size_t bytes);

}  // namespace weighbridge::sandbox
