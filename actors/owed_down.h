// SPDX-License-Identifier: Apache-2.0
//
// OwedDown: the Down (actors/watch.h) of a watch of something that is no actor
// of this process. A bridge to another process makes one, and tells it when it
// learns of the end.
//
//   auto owed = std::make_shared<trolley::OwedDown>(watcher, link, "far");
//   owed->Tell({.kind = trolley::ExitReason::Kind::kStopped});
//
// A link does this for RemoteWatch (actors/link/remote_watch.h).
//
// Ownership: shared by the watcher, which may forget it, and by the party that
//            tells it.
// Threads:   thread-safe. That no Down comes after Forget() holds on the loop
//            of the watcher.
// Bounds:    one message, beside the watcher's SpawnOptions::mailbox_capacity.
// Ends:      with the first Tell(). It tells nothing by itself.

#ifndef TROLLEY_ACTORS_OWED_DOWN_H_
#define TROLLEY_ACTORS_OWED_DOWN_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/internal/handler.h"
#include "trolley/actors/internal/notice.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/watch.h"
#include "trolley/bus/address.h"
#include "trolley/bus/exit_reason.h"

namespace trolley {

class OwedDown {
 public:
  // `watcher` has a handler of Down. `actor` and `name`: as in the Down.
  template <typename A>
  OwedDown(const Ref<A>& watcher, Address actor, std::string name)
      : watcher_(watcher.address()),
        ops_(&internal::NoticeHandler<A, Down>::kOps),
        actor_(std::move(actor)),
        name_(std::move(name)),
        forgotten_(std::make_shared<internal::Forgotten>(false)) {
    static_assert(sizeof(internal::ActorHandles<A, Down>) > 0);
  }
  OwedDown(const OwedDown&) = delete;
  OwedDown& operator=(const OwedDown&) = delete;

  // Sends the Down. A second call has no effect.
  void Tell(ExitReason reason, absl::Status lost = absl::OkStatus());

  // No Down comes any more, also if it waits in the mailbox.
  void Forget() { forgotten_->store(true); }
  bool forgotten() const { return forgotten_->load(); }

  const std::string& name() const { return name_; }

 private:
  const Address watcher_;
  const internal::MessageOps* const ops_;
  const Address actor_;
  const std::string name_;
  std::atomic<bool> told_{false};
  const std::shared_ptr<internal::Forgotten> forgotten_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_OWED_DOWN_H_
