// SPDX-License-Identifier: Apache-2.0
//
// LinkTransport: how the bytes of a link travel: through a socket, a pair of
// pipes, or anything else that keeps them whole and in order. A link makes the
// transport of a socket itself, so most dialers need none. A Dialer of another
// kind gives one with its LinkSocket (actors/link/link_socket.h):
//
//   trolley::LinkSocket connected{.peer = peer};
//   connected.transport = std::make_unique<MyTransport>(...);
//   co_return std::move(connected);
//
// The link calls Start() first. Then one coroutine reads, and another writes.
//
// Ownership: the connection of the link owns it.
// Threads:   loop thread only: that of the link. Any thread may make it.
// Bounds:    what it holds beyond the bytes in the kernel, it says itself.
// Ends:      Close(), then the destructor. A coroutine that waits in it never
//            resumes after the destructor.

#ifndef TROLLEY_ACTORS_LINK_LINK_TRANSPORT_H_
#define TROLLEY_ACTORS_LINK_LINK_TRANSPORT_H_

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "trolley/actors/context.h"
#include "trolley/actors/task.h"

namespace trolley {

class LinkTransport {
 public:
  virtual ~LinkTransport() = default;

  // Called once. An error is the reason of a LinkDown with LinkEnd::kSystem.
  virtual absl::Status Start(ActorContext context) = 0;

  // Waits for bytes of the peer. Gives how many it put into `into`, which is
  // not empty; 0: the peer sends no more, or Close() was called.
  //   Unavailable       the peer has gone
  //   a wire::WireError the peer broke a rule of the transport
  //   other codes       a system call failed (poller/errno_status.h)
  virtual Task<absl::StatusOr<size_t>> Read(absl::Span<char> into) = 0;

  // Takes as many of the first bytes of `parts` as it has room for, at once.
  // Returns their number, at least 1; or -errno:
  //   -EAGAIN   there is no room now
  //   -EPIPE    the peer reads no more
  virtual ssize_t WriteSome(absl::Span<const iovec> parts) = 0;

  // Calls `write`, which calls WriteSome(), until its result is not -EAGAIN;
  // each time when there may be room. Gives that result. Unavailable: the peer
  // reads no more. `write` stays valid until then.
  virtual Task<absl::StatusOr<size_t>> WhenWritable(
      absl::FunctionRef<ssize_t()> write) = 0;

  // True: where one peer ends, the next one may begin, and no end comes in
  // between, as in a named pipe. A second Hello is then the end of the peer.
  virtual bool peers_may_follow() const { return false; }

  // Nothing travels any more. The peer finds the end of its input, after what
  // was written. A coroutine that waits in Read() or WhenWritable() goes on.
  virtual void Close() = 0;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_LINK_TRANSPORT_H_
