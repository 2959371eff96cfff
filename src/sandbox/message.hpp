// What broker and worker say to each other. The broker believes nothing of what it reads here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/error.hpp>

namespace weighbridge::sandbox {

enum class Request : std::uint8_t {
  OpenInput,   ///< number: which. Answered with a descriptor.
  FindBeside,  ///< number: beside which input; name; follow_links. A descriptor, or Absent.
  Create,      ///< name. A descriptor.
  Commit,
  Result,   ///< text: more of it. No answer.
  Failure,  ///< text: the Error that ended the work. No answer.
  OutOfMemory,
};

/// From the worker.
struct RequestMessage {
  Request kind = Request::Commit;
  bool follow_links = false;
  std::uint32_t number = 0;
  std::string text = {};
};

enum class Answer : std::uint8_t { Done, Absent, Failed };

/// From the broker.
struct AnswerMessage {
  Answer kind = Answer::Done;
  std::string text = {};  ///< The Error of Failed.
};

/// Longest message in bytes; a longer Result goes in several.
inline constexpr std::size_t kLongestMessage = 32 * 1024;
inline constexpr std::size_t kLongestText = kLongestMessage - 16;

std::string serialize(const RequestMessage& message);
std::string serialize(const AnswerMessage& message);

/// Nothing for bytes that are no request.
std::optional<RequestMessage> parse_request(std::string_view bytes);
std::optional<AnswerMessage> parse_answer(std::string_view bytes);

/// An error as text; message and subject are cut where they are longer than a message takes.
std::string serialize_error(const Error& error);
std::optional<Error> parse_error(std::string_view bytes);

}  // namespace weighbridge::sandbox
