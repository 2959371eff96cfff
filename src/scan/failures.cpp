#include <array>

#include <fmt/format.h>

#include "scan/streams.hpp"

namespace weighbridge::scanning {
namespace {

using pickle::Outcome;

constexpr std::uint8_t kExt1 = 0x82;
constexpr std::uint8_t kExt4 = 0x84;
constexpr std::uint8_t kStackGlobal = 0x93;
/// With fewer values the stack of a stream cannot have held the two that STACK_GLOBAL takes.
constexpr std::size_t kStackGlobalOperands = 2;

std::uint8_t opcode_at(const ByteSource& source, std::uint64_t offset) {
  std::array<std::byte, 1> byte{};
  if (offset < source.size()) source.read_at(offset, byte);
  return std::to_integer<std::uint8_t>(byte[0]);
}

struct Cause {
  Verdict verdict = Verdict::Malformed;
  std::string_view code;
};

Cause find_cause(const Content& content, const Outcome& outcome) {
  const Error& failure = *outcome.failure;
  const std::uint8_t opcode = opcode_at(*content.source, failure.offset().value_or(UINT64_MAX));
  if (opcode >= kExt1 && opcode <= kExt4) return {Verdict::Dangerous, "ExtensionRegistry"};
  if (opcode == kStackGlobal && failure.code() == ErrorCode::MalformedPickle &&
      outcome.graph.size() >= kStackGlobalOperands) {
    return {Verdict::Dangerous, "ComputedName"};
  }
  return {Verdict::Malformed, error_code_name(failure.code())};
}

}  // namespace

void note_failure(Scan& scan, const Content& content, const Outcome& outcome) {
  const Cause cause = find_cause(content, outcome);
  scan.evidence.add({.verdict = cause.verdict,
                     .code = std::string(cause.code),
                     .message = outcome.failure->what(),
                     .place = content.place,
                     .offset = outcome.failure->offset()});
}

}  // namespace weighbridge::scanning
