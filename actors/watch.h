// SPDX-License-Identifier: Apache-2.0
//
// Watch: an actor is told when another actor has ended. It gets one Down.
//
//   class Client : public trolley::Actor {
//    public:
//     explicit Client(const Ref<Server>& server)
//         : watch_(Self(this), server.address()) {}
//     void On(const trolley::Down& m) { Log(m.name + m.reason.ToString()); }
//    private:
//     trolley::Watch watch_;
//   };
//
//   the watched actor           the Down comes
//   runs                        after its end
//   has ended                   soon
//   none: the address is empty  soon; the reason is kUnknown
//
// When the Down comes, OnStop() and the destructor of the watched actor have
// returned: its timers are cancelled, its descriptors are closed, and its name
// is free. The Down comes after each message that the watched actor sent to the
// watcher. A full mailbox does not refuse it.
//
// Both actors may be of any loop and of any bus of this process. An actor of
// another process is watched by a RemoteWatch (actors/link/remote_watch.h). For
// the end of a link see LinkDown (actors/link/link.h).
//
// Ownership: the watcher owns it, as a member; a moved-from Watch watches
//            nothing.
// Threads:   thread-safe to make. That no Down comes after Forget() holds on
//            the loop of the watcher.
// Bounds:    one message for each Watch, beside the watcher's
//            SpawnOptions::mailbox_capacity. The loop of the watched actor
//            keeps one entry for each Watch.
// Ends:      with the Down, Forget() or the destructor.

#ifndef TROLLEY_ACTORS_WATCH_H_
#define TROLLEY_ACTORS_WATCH_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/internal/handler.h"
#include "trolley/actors/internal/notice.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/address.h"
#include "trolley/bus/exit_reason.h"

namespace trolley {

// A watched actor has ended.
struct Down {
  Address actor;     // the watched actor
  std::string name;  // as Address::ToString()
  ExitReason reason;
  // Not OK only for a RemoteWatch, which has ended before its actor.
  absl::Status lost = {};
};

namespace internal {

// Calls WhenEnded() of `watched`, which sends the Down to `watcher`.
EndWatch BeginWatch(const Address& watcher, const MessageOps* ops,
                    const Address& watched,
                    std::shared_ptr<const Forgotten> forgotten);

}  // namespace internal

class [[nodiscard]] Watch {
 public:
  Watch() = default;  // watches nothing
  // `watcher` has a handler of Down.
  template <typename A>
  Watch(const Ref<A>& watcher, Address watched)
      : watched_(std::move(watched)),
        forgotten_(std::make_shared<internal::Forgotten>(false)) {
    static_assert(sizeof(internal::ActorHandles<A, Down>) > 0);
    watch_ = internal::BeginWatch(watcher.address(),
                                  &internal::NoticeHandler<A, Down>::kOps,
                                  watched_, forgotten_);
  }
  Watch(Watch&& other) noexcept = default;
  Watch& operator=(Watch&& other) noexcept {
    if (this == &other) return *this;
    Forget();
    watched_ = std::move(other.watched_);
    watch_ = other.watch_;
    forgotten_ = std::move(other.forgotten_);
    return *this;
  }
  ~Watch() { Forget(); }

  // No Down comes any more, also if it waits in the mailbox.
  void Forget();

  // The watched actor; empty if this watches nothing.
  const Address& watched() const { return watched_; }

 private:
  Address watched_;
  EndWatch watch_;
  std::shared_ptr<internal::Forgotten> forgotten_;  // null: watches nothing
};

// Links two actors: when one of them has ended, for any reason, the other is
// stopped (Address::Stop). It holds until both have ended. If one has ended
// already, or an address is empty, the other is stopped soon. Thread-safe; the
// actors may be of any loop and of any bus of this process. The loop of each
// keeps one entry. A seat (actors/seat.h) has ended when it has closed, and
// Stop() ends the object in it.
void EndTogether(const Address& one, const Address& other);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_WATCH_H_
