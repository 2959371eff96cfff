#include "sandbox/broker.hpp"

#include <cerrno>
#include <new>

#include <weighbridge/error.hpp>

#include <fmt/format.h>

#include "base/text.hpp"
#include "sandbox/bounds.hpp"

namespace weighbridge::sandbox {
namespace {

constexpr std::uint64_t kMostRequests = 100'000;

Error broken_rules(std::string_view what) {
  return {ErrorCode::WorkerStopped, fmt::format("the process that read the input was stopped: {}", what)};
}

}  // namespace

Broker::Broker(const WorkerOptions& options, const Channel& channel, pid_t worker)
    : options_(options), channel_(channel), worker_(worker), files_(options) {}

bool Broker::serve_next() {
  try {
    const Received received = channel_.receive(TakeDescriptors::No);
    if (received.ended) return false;
    const auto request = parse_request(received.bytes);
    if (!request) throw broken_rules("it sent what is no request");
    if (++requests_ > kMostRequests) throw broken_rules("it asked for too many files");
    return serve(*request);
  } catch (...) {
    failure_ = std::current_exception();
    return false;
  }
}

std::string Broker::take_result() {
  if (failure_) std::rethrow_exception(failure_);
  return files_.take_result();
}

bool Broker::serve(const RequestMessage& request) {
  switch (request.kind) {
    case Request::Result:
      files_.put_result(request.text);
      return true;
    case Request::Failure:
      if (const auto error = parse_error(request.text)) throw Error(*error);
      throw broken_rules("it failed without a reason");
    case Request::OutOfMemory:
      throw std::bad_alloc();
    default:
      return answer(request);
  }
}

/// What goes wrong here is the worker's to deal with.
bool Broker::answer(const RequestMessage& request) {
  try {
    switch (request.kind) {
      case Request::OpenInput:
        open_input(request);
        break;
      case Request::FindBeside:
        find_beside(request);
        break;
      case Request::Create:
        create(request);
        break;
      default:
        files_.output_folder().commit();
        send({.kind = Answer::Done});
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::WorkerStopped) throw;
    send({.kind = Answer::Failed, .text = serialize_error(error)});
  }
  return true;
}

void Broker::send_source(const SourcePtr& source) {
  const auto extent = source->file_extent(0);
  if (!extent) throw Error(ErrorCode::IoError, "the input is no open file");
  grow_bounds(source->size());
  send({.kind = Answer::Done}, extent->descriptor);
}

void Broker::open_input(const RequestMessage& request) { send_source(files_.open_input(request.number)); }

void Broker::find_beside(const RequestMessage& request) {
  // Nothing that a checkpoint consists of is hidden; what other programs keep secret often is.
  if (request.text.starts_with('.')) throw Error::from_errno(EACCES, "open", request.text);
  auto& folder = folders_[request.number];
  if (!folder) folder = files_.input_folder(request.number);
  const SourcePtr source = folder->find(request.text, request.follow_links ? Links::Follow : Links::Refuse);
  if (!source) return send({.kind = Answer::Absent});
  send_source(source);
}

void Broker::check_output_name(const std::string& name) const {
  if (is_plain_file_name(name) && name.starts_with(options_.output.stem().native())) return;
  throw Error(ErrorCode::InvalidArgument,
              fmt::format("'{}' is no file of the output '{}'", printable(name),
                          printable(options_.output.filename().native())),
              name);
}

void Broker::create(const RequestMessage& request) {
  OutputFolder& folder = files_.output_folder();
  check_output_name(request.text);
  send({.kind = Answer::Done}, folder.create(request.text));
}

/// A worker has one question at a time and waits for its answer: there is always room for that one.
void Broker::send(const AnswerMessage& message, int descriptor) {
  const int failed = channel_.try_send(serialize(message), descriptor);
  // A worker that is gone by now is seen at the next request.
  if (failed != 0 && failed != EPIPE) throw broken_rules("it did not take an answer");
}

void Broker::grow_bounds(std::uint64_t bytes) {
  input_bytes_ += std::min(bytes, UINT64_MAX - input_bytes_);
  raise_bounds(worker_, bounds_for(options_, input_bytes_));
}

}  // namespace weighbridge::sandbox
