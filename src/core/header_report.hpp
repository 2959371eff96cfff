// Where violations go while a header is read: the first one ends the reading, or all are collected.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <weighbridge/error.hpp>

namespace weighbridge {

/// `text` from a file, fit for a message: printable, and cut where it is very long.
[[nodiscard]] std::string short_text(std::string_view text);

/// The tensor (or `__metadata__`) that something is about; nothing when it is the whole header. The
/// empty name is a name. Borrowed.
using Subject = std::optional<std::string_view>;

/// What a message calls its subject: "tensor 'a': ", "__metadata__: ", or nothing.
[[nodiscard]] std::string subject_prefix(Subject subject);

class HeaderReport {
 public:
  /// Throws at the first error and drops warnings.
  HeaderReport() = default;
  /// Collects up to `most` findings of every code and counts the rest.
  explicit HeaderReport(std::uint64_t most) : collecting_(true), most_(most) {}

  /// `message` is called only when its text is needed; it says what was found and what was needed.
  template <typename Message>
  void error(ErrorCode code, Subject subject, std::uint64_t offset, Message&& message) {
    if (!collecting_) throw make_error(code, subject, offset, message());
    if (admit(error_code_name(code))) add(make_error(code, subject, offset, message()));
  }

  template <typename Message>
  void warning(std::string_view code, Subject subject, std::uint64_t offset, Message&& message) {
    if (collecting_ && admit(code)) add_warning(code, subject, offset, message());
  }

  /// Adds an error that ended the reading.
  void add(const Error& error);

  /// What was collected, in order of place, then one line for each code of which there was more.
  [[nodiscard]] Findings take();

  /// An Error whose message names the subject in front and the header byte at the end.
  [[nodiscard]] static Error make_error(ErrorCode code, Subject subject, std::uint64_t offset,
                                        std::string_view what);

 private:
  bool admit(std::string_view code);
  void add_warning(std::string_view code, Subject subject, std::uint64_t offset, std::string_view what);

  bool collecting_ = false;
  std::uint64_t most_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> seen_;
  Findings findings_;
};

}  // namespace weighbridge
