// SPDX-License-Identifier: Apache-2.0
//
// Dialer: how a StreamLink (actors/link/stream_link.h) gets its connections.
// There is one for each kind of transport:
//
//   class MyDialer : public trolley::Dialer {
//    public:
//     const std::string& endpoint() const override { return endpoint_; }
//     trolley::Task<absl::StatusOr<trolley::LinkSocket>> Dial(
//         trolley::ActorContext context) override {
//       ...
//       trolley::LinkSocket connected{.fd = std::move(fd), .peer = peer};
//       co_return connected;
//     }
//   };
//   bus.Spawn<trolley::StreamLink>({}, std::make_unique<MyDialer>("..."));
//
// Ownership: the link owns it.
// Threads:   loop thread only: that of the link.
// Bounds:    one Dial() at a time.
// Ends:      with the link, which destroys a Dial() that still waits.

#ifndef TROLLEY_ACTORS_LINK_DIALER_H_
#define TROLLEY_ACTORS_LINK_DIALER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/task.h"

namespace trolley {

class Dialer {
 public:
  virtual ~Dialer() = default;

  // What the dialer dials, for logs and errors: a path, or host:port.
  virtual const std::string& endpoint() const = 0;

  // Called once, when the link starts. InvalidArgument: what the dialer was
  // given is not valid. Then the link ends, and its watcher gets a LinkDown
  // with LinkEnd::kNoConnection.
  virtual absl::Status Check() { return absl::OkStatus(); }

  // Makes a connection to a peer that this process may talk to. It may wait by
  // co_await, and ends such a wait by a deadline of its own. Messages to the
  // link wait meanwhile.
  //   PermissionDenied   this process may not talk to the peer; the dialer has
  //                      closed the descriptor
  //   other codes        there is no connection; the text says why
  // The error is the reason of a LinkDown with LinkEnd::kNoConnection. The link
  // dials again after its backoff.
  virtual Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) = 0;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_DIALER_H_
