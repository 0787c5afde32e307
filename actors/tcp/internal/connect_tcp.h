// SPDX-License-Identifier: Apache-2.0
//
// ConnectTcp: connects to one address, without stopping the loop.
//
//   absl::StatusOr<ScopedFd> fd =
//       co_await ConnectTcp(context, address, options, absl::Seconds(3));
//
// Ownership: the result is the caller's. A caller that does not wait to the end
//            leaves nothing behind.
// Threads:   loop thread only.
// Bounds:    one descriptor; `timeout`.
// Ends:      when the kernel has connected or has failed, or at the timeout.

#ifndef TROLLEY_ACTORS_TCP_INTERNAL_CONNECT_TCP_H_
#define TROLLEY_ACTORS_TCP_INTERNAL_CONNECT_TCP_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/context.h"
#include "trolley/actors/task.h"
#include "trolley/actors/tcp/tcp_address.h"
#include "trolley/actors/tcp/tcp_socket_options.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {

// Gives a connected socket: non-blocking, close-on-exec, with `options`.
//
//   Unavailable        no process listens there, or no machine is there
//   DeadlineExceeded   no answer within `timeout`, or within that of the kernel
//   other codes        a call failed (poller/errno_status.h)
//
// The text names the call and the address.
Task<absl::StatusOr<ScopedFd>> ConnectTcp(ActorContext context, TcpAddress to,
                                          TcpSocketOptions options,
                                          absl::Duration timeout);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TCP_INTERNAL_CONNECT_TCP_H_
