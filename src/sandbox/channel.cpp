#include "sandbox/channel.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <weighbridge/error.hpp>

#include <sys/socket.h>

#include "sandbox/message.hpp"

namespace weighbridge::sandbox {
namespace {

constexpr std::string_view kName = "the channel between broker and worker";

using ControlBytes = std::array<char, CMSG_SPACE(sizeof(int))>;

void attach(msghdr& message, ControlBytes& control, int descriptor) noexcept {
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
}

ssize_t send_once(int socket, std::string_view bytes, int descriptor, int flags) noexcept {
  iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) ControlBytes control{};
  if (descriptor >= 0) attach(message, control, descriptor);
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

io::Descriptor descriptor_of(msghdr& message) noexcept {
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return {};
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return io::Descriptor(descriptor);
}

}  // namespace

std::pair<Channel, Channel> Channel::open_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw Error::from_errno(errno, "open", kName);
  }
  return {Channel(io::Descriptor(ends[0])), Channel(io::Descriptor(ends[1]))};
}

void Channel::send(std::string_view bytes, int descriptor) const {
  if (send_once(socket_.get(), bytes, descriptor, 0) < 0) throw Error::from_errno(errno, "write to", kName);
}

int Channel::try_send(std::string_view bytes, int descriptor) const noexcept {
  return send_once(socket_.get(), bytes, descriptor, MSG_DONTWAIT) < 0 ? errno : 0;
}

Received Channel::receive(TakeDescriptors take) const {
  Received received;
  received.bytes.resize(kLongestMessage);
  iovec part{.iov_base = received.bytes.data(), .iov_len = received.bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) ControlBytes control{};
  if (take == TakeDescriptors::Yes) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno != ECONNRESET) throw Error::from_errno(errno, "read from", kName);
  if (take == TakeDescriptors::Yes && got > 0) received.descriptor = descriptor_of(message);
  received.ended = got <= 0;  // no message is empty
  received.bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return received;
}

}  // namespace weighbridge::sandbox
