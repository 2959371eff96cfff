#include "sandbox/message.hpp"

#include <cstring>
#include <type_traits>

namespace weighbridge::sandbox {
namespace {

constexpr std::size_t kLongestMessageText = 16 * 1024;
constexpr std::size_t kLongestSubject = 8 * 1024;
static_assert(kLongestMessageText + kLongestSubject + 64 < kLongestText);

// Both ends are one program on one machine: numbers go as they lie in memory.
template <class Number>
void append(std::string& out, Number number) {
  static_assert(std::is_trivially_copyable_v<Number>);
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

/// Takes the number off the front; false when there are too few bytes.
template <class Number>
bool take(std::string_view& bytes, Number& number) {
  if (bytes.size() < sizeof number) return false;
  std::memcpy(&number, bytes.data(), sizeof number);
  bytes.remove_prefix(sizeof number);
  return true;
}

}  // namespace

std::string serialize(const RequestMessage& message) {
  std::string out;
  append(out, static_cast<std::uint8_t>(message.kind));
  append(out, static_cast<std::uint8_t>(message.follow_links));
  append(out, message.number);
  return out + message.text;
}

std::string serialize(const AnswerMessage& message) {
  std::string out;
  append(out, static_cast<std::uint8_t>(message.kind));
  return out + message.text;
}

std::optional<RequestMessage> parse_request(std::string_view bytes) {
  std::uint8_t kind = 0;
  std::uint8_t follow = 0;
  RequestMessage message;
  if (!take(bytes, kind) || !take(bytes, follow) || !take(bytes, message.number)) return std::nullopt;
  if (kind > static_cast<std::uint8_t>(Request::OutOfMemory) || follow > 1) return std::nullopt;
  message.kind = static_cast<Request>(kind);
  message.follow_links = follow == 1;
  message.text = bytes;
  return message;
}

std::optional<AnswerMessage> parse_answer(std::string_view bytes) {
  std::uint8_t kind = 0;
  if (!take(bytes, kind) || kind > static_cast<std::uint8_t>(Answer::Failed)) return std::nullopt;
  return AnswerMessage{.kind = static_cast<Answer>(kind), .text = std::string(bytes)};
}

std::string serialize_error(const Error& error) {
  const std::string_view message = std::string_view(error.what()).substr(0, kLongestMessageText);
  std::string out;
  append(out, error.offset().value_or(0));
  append(out, static_cast<std::int32_t>(error.system_error()));
  append(out, static_cast<std::uint32_t>(message.size()));
  append(out, static_cast<std::uint16_t>(error.code()));
  append(out, static_cast<std::uint8_t>(error.offset().has_value()));
  out += message;
  out += std::string_view(error.subject()).substr(0, kLongestSubject);
  return out;
}

std::optional<Error> parse_error(std::string_view bytes) {
  std::uint64_t offset = 0;
  std::int32_t system_error = 0;
  std::uint32_t message_bytes = 0;
  std::uint16_t code = 0;
  std::uint8_t has_offset = 0;
  const bool complete = take(bytes, offset) && take(bytes, system_error) && take(bytes, message_bytes) &&
                        take(bytes, code) && take(bytes, has_offset);
  if (!complete || message_bytes > bytes.size()) return std::nullopt;
  const auto known = static_cast<ErrorCode>(code);
  if (error_code_name(known) == "Unknown") return std::nullopt;
  return Error(known, std::string(bytes.substr(0, message_bytes)), std::string(bytes.substr(message_bytes)),
               has_offset != 0 ? std::optional(offset) : std::nullopt, system_error);
}

}  // namespace weighbridge::sandbox
