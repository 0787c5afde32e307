// SPDX-License-Identifier: Apache-2.0
//
// The transport of a connected socket: of a stream of bytes (SOCK_STREAM), or
// of packets (SOCK_SEQPACKET). Over packets the bytes of a link are cut where
// it suits the sender: a packet means nothing to the link.
//
//   absl::StatusOr<std::unique_ptr<LinkTransport>> transport =
//       NewSocketTransport(sys, std::move(fd));
//
// Ownership: owns the socket.
// Threads:   loop thread only.
// Bounds:    kMostPacketBytes for a packet.
// Ends:      Close() shuts the socket down; the destructor closes it.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_SOCKET_TRANSPORT_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_SOCKET_TRANSPORT_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/link_transport.h"
#include "trolley/actors/stream.h"
#include "trolley/actors/task.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// The longest packet, in bytes; a rule of the protocol. 64 KiB: a third of what
// a socket holds, so that a packet always finds room in an empty one.
inline constexpr size_t kMostPacketBytes = 64 << 10;
// A sender makes its packets no smaller than this. The smallest buffer that the
// kernel has takes 2 KiB.
inline constexpr size_t kLeastPacketBytes = 1 << 10;

// InvalidArgument: `fd` is no socket, or is one of another type. Other codes: a
// system call failed.
absl::StatusOr<std::unique_ptr<LinkTransport>> NewSocketTransport(Sys& sys,
                                                                  ScopedFd fd);

class SocketTransport : public LinkTransport {
 public:
  explicit SocketTransport(ScopedFd fd) : fd_(std::move(fd)) {}

  absl::Status Start(ActorContext context) override;
  Task<absl::StatusOr<size_t>> Read(absl::Span<char> into) override;
  ssize_t WriteSome(absl::Span<const iovec> parts) override;
  Task<absl::StatusOr<size_t>> WhenWritable(
      absl::FunctionRef<ssize_t()> write) override;
  void Close() override;

 protected:
  Stream& stream() { return *stream_; }

 private:
  ScopedFd fd_;  // until Start()
  std::optional<Stream> stream_;
};

class PacketTransport final : public SocketTransport {
 public:
  using SocketTransport::SocketTransport;

  Task<absl::StatusOr<size_t>> Read(absl::Span<char> into) override;
  ssize_t WriteSome(absl::Span<const iovec> parts) override;

 private:
  // One packet; -EMSGSIZE: it is longer than `into`.
  ssize_t Receive(absl::Span<char> into);
  size_t TakeRest(absl::Span<char> into);
  ssize_t SendPacket(absl::Span<const iovec> parts);

  // A packet that did not fit into the room of the reader, and how much of it
  // the reader has.
  std::string packet_;
  size_t taken_ = 0;
  // The longest packet that it sends. It is halved when the buffer of the
  // socket (SO_SNDBUF) is too small for it.
  size_t most_ = kMostPacketBytes;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_SOCKET_TRANSPORT_H_
