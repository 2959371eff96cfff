// The socket between broker and worker: whole messages, and descriptors with them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "io/descriptor.hpp"

namespace weighbridge::sandbox {

/// A message that came in.
struct Received {
  bool ended = false;  ///< The other side is gone; nothing came.
  std::string bytes = {};
  io::Descriptor descriptor = {};
};

enum class TakeDescriptors : std::uint8_t { No, Yes };

/// One end; one thread at a time.
class Channel {
 public:
  explicit Channel(io::Descriptor socket) noexcept : socket_(std::move(socket)) {}
  /// Both ends of a new channel. Throws IoError.
  static std::pair<Channel, Channel> open_pair();

  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
  /// Sends one message, and a descriptor with it unless that is -1; waits while the other side does
  /// not read. Throws IoError.
  void send(std::string_view bytes, int descriptor = -1) const;
  /// The same without waiting: 0, or errno when it could not be sent.
  [[nodiscard]] int try_send(std::string_view bytes, int descriptor) const noexcept;
  /// Waits for a message. Descriptors that are not to be taken are closed. Throws IoError.
  [[nodiscard]] Received receive(TakeDescriptors take) const;

 private:
  io::Descriptor socket_;
};

}  // namespace weighbridge::sandbox
