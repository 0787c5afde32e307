// SPDX-License-Identifier: Apache-2.0
//
// NamedPipeDialer: opens two named pipes for a link (actors/pipe/pipe_link.h
// says in which order, and what the errors are).
//
// Ownership: the link owns it.
// Threads:   loop thread only.
// Bounds:    two descriptors. Between two attempts it keeps `in` open, so that
//            the other side can open its `out`.
// Ends:      with the link.

#ifndef TROLLEY_ACTORS_PIPE_INTERNAL_NAMED_PIPE_DIALER_H_
#define TROLLEY_ACTORS_PIPE_INTERNAL_NAMED_PIPE_DIALER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/dialer.h"
#include "trolley/actors/link/link_socket.h"
#include "trolley/actors/pipe/pipes.h"
#include "trolley/actors/task.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

class NamedPipeDialer final : public Dialer {
 public:
  NamedPipeDialer(PipePaths paths, absl::Duration wait);

  const std::string& endpoint() const override { return endpoint_; }
  absl::Status Check() override;
  Task<absl::StatusOr<LinkSocket>> Dial(ActorContext context) override;

 private:
  // Opens what is not open yet. Gives `out`.
  absl::StatusOr<ScopedFd> OpenBoth(Sys& sys);
  absl::Status OpenIn(Sys& sys);
  absl::StatusOr<ScopedFd> OpenOut(Sys& sys) const;
  void Discard(Sys& sys, int bytes);
  // Until there are bytes in `in`, or `wait_` has passed.
  Task<absl::Status> AwaitPeer(ActorContext context);

  const PipePaths paths_;
  const std::string endpoint_;
  const absl::Duration wait_;
  bool waits_ = false;  // the first attempt does not
  ScopedFd in_;         // from the first attempt to the connection
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PIPE_INTERNAL_NAMED_PIPE_DIALER_H_
