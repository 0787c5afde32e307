// SPDX-License-Identifier: Apache-2.0
//
// PendingDown: the Down that a RemoteWatch (actors/link/remote_watch.h) owes to
// its watcher, on its way to a link and in it.
//
//   down->TellEnd({.kind = ExitReason::Kind::kStopped});
//
// The destructor tells that the link has ended, if nothing was told before. So
// the watcher gets one Down, whatever becomes of the message to the link and of
// the link.
//
// Ownership: the message to the link; then a coroutine of the link.
// Threads:   one at a time. The last one destroys it.
// Bounds:    one message to the watcher.
// Ends:      with its owner.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_PENDING_DOWN_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_PENDING_DOWN_H_

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/owed_down.h"
#include "trolley/bus/exit_reason.h"

namespace trolley::internal {

class PendingDown {
 public:
  explicit PendingDown(std::shared_ptr<OwedDown> owed)
      : owed_(std::move(owed)) {}
  PendingDown(const PendingDown&) = delete;
  PendingDown& operator=(const PendingDown&) = delete;
  ~PendingDown() {
    if (!told_) TellLost(absl::UnavailableError("the link has ended"));
  }

  // The actor over there has ended.
  void TellEnd(ExitReason reason) {
    told_ = true;
    owed_->Tell(std::move(reason));
  }
  // It is not watched any more; it may run.
  void TellLost(absl::Status why) {
    told_ = true;
    owed_->Tell({}, std::move(why));
  }

  const OwedDown& owed() const { return *owed_; }

 private:
  const std::shared_ptr<OwedDown> owed_;
  bool told_ = false;
};

// Two messages of a RemoteWatch to its link.
struct LinkWatch {
  std::unique_ptr<PendingDown> down;
};
struct LinkUnwatch {
  std::shared_ptr<const OwedDown> owed;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_PENDING_DOWN_H_
