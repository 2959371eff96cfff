// The broker: opens files for a worker that it does not trust.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <string>

#include <weighbridge/worker.hpp>

#include <sys/types.h>

#include "sandbox/channel.hpp"
#include "sandbox/direct_files.hpp"
#include "sandbox/message.hpp"

namespace weighbridge::sandbox {

/// Answers the requests of one worker. Every request is checked here as if the worker were an
/// attacker: it can name no file but the inputs, plain names beside them, and new files of the output.
class Broker {
 public:
  /// `options` and `channel` are borrowed; `worker` is the process at its other end.
  Broker(const WorkerOptions& options, const Channel& channel, pid_t worker);

  /// Answers the next request. False when the worker is gone, or has to be: it broke the rules.
  bool serve_next();

  /// What the worker has left behind. Throws what ended its work, or why it was not served any more.
  [[nodiscard]] std::string take_result();

 private:
  bool serve(const RequestMessage& request);
  bool answer(const RequestMessage& request);
  void send_source(const SourcePtr& source);
  void open_input(const RequestMessage& request);
  void find_beside(const RequestMessage& request);
  void create(const RequestMessage& request);
  void check_output_name(const std::string& name) const;
  void send(const AnswerMessage& message, int descriptor = -1);
  void grow_bounds(std::uint64_t bytes);

  const WorkerOptions& options_;
  const Channel& channel_;
  pid_t worker_;
  DirectFiles files_;
  std::map<std::uint32_t, InputFolderPtr> folders_;
  std::uint64_t input_bytes_ = 0;
  std::uint64_t requests_ = 0;
  std::exception_ptr failure_;
};

}  // namespace weighbridge::sandbox
