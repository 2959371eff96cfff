// Files that the broker opens: the worker's side of the channel.
#pragma once

#include <memory>
#include <mutex>

#include <weighbridge/worker.hpp>

#include "sandbox/channel.hpp"
#include "sandbox/message.hpp"

namespace weighbridge::sandbox {

/// Questions to the broker; all functions may be called by several threads at once.
class BrokerLine {
 public:
  explicit BrokerLine(const Channel& channel) noexcept : channel_(channel) {}

  /// Sends a request and waits for its answer. Throws the Error that the broker answered with.
  /// The descriptor is none when the answer is Absent.
  [[nodiscard]] io::Descriptor ask(const RequestMessage& request);
  /// Sends what has no answer.
  void tell(const RequestMessage& message);

 private:
  const Channel& channel_;
  std::mutex mutex_;
};

class RemoteFiles final : public WorkerFiles {
 public:
  /// Both are borrowed.
  RemoteFiles(const WorkerOptions& options, const Channel& channel);
  ~RemoteFiles() override;

  SourcePtr open_input(std::size_t number) override;
  InputFolderPtr input_folder(std::size_t number) override;
  [[nodiscard]] std::string input_name(std::size_t number) const override;
  OutputFolder& output_folder() override;
  void put_result(std::string_view bytes) override;

 private:
  const WorkerOptions& options_;
  BrokerLine line_;
  std::unique_ptr<OutputFolder> output_;
  std::size_t result_bytes_ = 0;
};

}  // namespace weighbridge::sandbox
