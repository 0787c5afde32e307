// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/socket_transport.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/errno_status.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {

absl::StatusOr<std::unique_ptr<LinkTransport>> NewSocketTransport(Sys& sys,
                                                                  ScopedFd fd) {
  int type = 0;
  socklen_t size = sizeof(type);
  const int result =
      sys.Getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size);
  if (result < 0) {
    return ErrnoStatus(result, SysCall::kGetsockopt,
                       "SO_TYPE of a connection of a link");
  }
  std::unique_ptr<LinkTransport> transport;
  if (type == SOCK_STREAM) {
    transport = std::make_unique<SocketTransport>(std::move(fd));
  } else if (type == SOCK_SEQPACKET) {
    transport = std::make_unique<PacketTransport>(std::move(fd));
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("a link needs a socket of type SOCK_STREAM or "
                     "SOCK_SEQPACKET, and this one has type ",
                     type));
  }
  return transport;
}

// --- Streams ---------------------------------------------------------------

absl::Status SocketTransport::Start(ActorContext context) {
  stream_.emplace(context, std::move(fd_));
  return absl::OkStatus();
}

Task<absl::StatusOr<size_t>> SocketTransport::Read(absl::Span<char> into) {
  co_return co_await stream_->ReadSocket(into);
}

ssize_t SocketTransport::WriteSome(absl::Span<const iovec> parts) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  return stream_->sys().Sendmsg(stream_->fd(), &message, MSG_NOSIGNAL);
}

Task<absl::StatusOr<size_t>> SocketTransport::WhenWritable(
    absl::FunctionRef<ssize_t()> write) {
  co_return co_await stream_->Do(Ready::kWritable, SysCall::kSendmsg, write);
}

void SocketTransport::Close() {
  // This also ends the wait of a coroutine in the stream.
  stream_->sys().Shutdown(stream_->fd(), SHUT_RDWR);
}

// --- Packets ---------------------------------------------------------------

ssize_t PacketTransport::Receive(absl::Span<char> into) {
  iovec part = {.iov_base = into.data(), .iov_len = into.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Sys& sys = stream().sys();
  ssize_t n = sys.Recvmsg(stream().fd(), &message, 0);
  // The peer has closed with packets of ours unread. The kernel says so once,
  // before the packets that the peer has sent.
  // mutant: P15_PacketsOfAPeerThatClosedAreLost
  if (n == -ECONNRESET) n = sys.Recvmsg(stream().fd(), &message, 0);
  // mutant: P14_APacketThatIsTooLongIsCut
  return n > 0 && (message.msg_flags & MSG_TRUNC) != 0 ? -EMSGSIZE : n;
}

size_t PacketTransport::TakeRest(absl::Span<char> into) {
  const size_t n = std::min(into.size(), packet_.size() - taken_);
  std::memcpy(into.data(), packet_.data() + taken_, n);
  taken_ += n;
  return n;
}

Task<absl::StatusOr<size_t>> PacketTransport::Read(absl::Span<char> into) {
  if (taken_ < packet_.size()) co_return TakeRest(into);
  const bool fits = into.size() >= kMostPacketBytes;
  if (!fits) packet_.resize(kMostPacketBytes);
  const absl::Span<char> room = fits ? into : absl::MakeSpan(packet_);
  bool too_long = false;
  const auto receive = [&]() -> ssize_t {
    const ssize_t n = Receive(room.first(kMostPacketBytes));
    too_long = n == -EMSGSIZE;
    return n;
  };
  absl::StatusOr<size_t> n =
      co_await stream().Do(Ready::kReadable, SysCall::kRecvmsg, receive);
  if (fits && !too_long) co_return n;
  packet_.resize(n.value_or(0));
  taken_ = 0;
  if (too_long) {
    co_return wire::MakeWireError(
        wire::WireError::kFrameTooLong,
        absl::StrCat("a packet of more than ", kMostPacketBytes, " bytes"));
  }
  if (!n.ok() || *n == 0) co_return n;
  co_return TakeRest(into);
}

ssize_t PacketTransport::SendPacket(absl::Span<const iovec> parts) {
  constexpr size_t kMostParts = 16;
  iovec cut[kMostParts];
  size_t count = 0;
  size_t room = most_;
  for (; count < std::min(parts.size(), kMostParts) && room > 0; ++count) {
    cut[count] = parts[count];
    cut[count].iov_len = std::min(cut[count].iov_len, room);
    room -= cut[count].iov_len;
  }
  return SocketTransport::WriteSome(absl::MakeConstSpan(cut, count));
}

// The kernel takes a packet whole, or not at all.
ssize_t PacketTransport::WriteSome(absl::Span<const iovec> parts) {
  ssize_t n = SendPacket(parts);
  while (n == -EMSGSIZE && most_ > kLeastPacketBytes) {
    most_ /= 2;
    n = SendPacket(parts);
  }
  return n;
}

}  // namespace trolley::internal
