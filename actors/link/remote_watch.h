// SPDX-License-Identifier: Apache-2.0
//
// RemoteWatch: an actor is told when an actor of another process has ended. It
// gets one Down (actors/watch.h).
//
//   class Client : public trolley::Actor {
//    public:
//     explicit Client(trolley::Ref<trolley::Link> link)
//         : watch_(Self(this), link, "wordcount/top") {}
//     void On(const trolley::Down& m) {
//       if (m.lost.ok()) Log(m.name + " has ended: " + m.reason.ToString());
//       else Log(m.name + " may run: " + m.lost.ToString());
//     }
//    private:
//     trolley::RemoteWatch watch_;
//   };
//
// Watch (actors/watch.h) on a Remote tells the end of the Remote, which stays
// while links come and go. RemoteWatch follows the actor over there.
//
//   what happens                        Down::lost
//   the actor over there has ended      OK; reason: why, as over there
//   no running actor has the name       OK; reason.kind is kUnknown;
//                                       reason.error: NotFound, with a text
//   the connection has ended, or the    Unavailable: whether the actor runs is
//   link has none                       not known
//   the link has ended                  Unavailable
//   LinkOptions::max_watches is         ResourceExhausted: it is not watched
//   reached, here or over there; or
//   the mailbox of the link is full
//   the process over there shuts down   Unavailable, or OK with kBusEnded: what
//                                       comes first
//   it is of a version without watches  Unimplemented
//   the name breaks a rule              InvalidArgument (ValidateActorName())
//
// Down::actor is the address of the link, and Down::name is the name as it was
// given. A watch does not outlive its connection: after LinkUp, make a new one.
// It is about the actor that has the name when the other process hears of it.
// A successor of the same name is another actor.
//
// The Down of a Watch comes after the messages of the watched actor. That of a
// RemoteWatch may pass those that are on their way.
//
// Ownership: the watcher owns it, as a member; a moved-from one watches
//            nothing.
// Threads:   thread-safe to make. That no Down comes after Forget() holds on
//            the loop of the watcher.
// Bounds:    LinkOptions::max_watches of each side. One message to the watcher,
//            beside the capacity of its mailbox.
// Ends:      with the Down, Forget() or the destructor. The other process
//            forgets it then, too; later if the mailbox of the link is full.

#ifndef TROLLEY_ACTORS_LINK_REMOTE_WATCH_H_
#define TROLLEY_ACTORS_LINK_REMOTE_WATCH_H_

#include <memory>
#include <string>
#include <utility>

#include "trolley/actors/link/link.h"
#include "trolley/actors/owed_down.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/watch.h"

namespace trolley {

class [[nodiscard]] RemoteWatch {
 public:
  RemoteWatch() = default;  // watches nothing
  // `watcher` has a handler of Down. `name`: the bus name of the actor in the
  // process that `link` leads to. Errors come as a Down: the table above.
  template <typename A>
  RemoteWatch(const Ref<A>& watcher, const Ref<Link>& link, std::string name)
      : link_(link),
        owed_(std::make_shared<OwedDown>(watcher, link.address(),
                                         std::move(name))) {
    Begin();
  }
  RemoteWatch(RemoteWatch&& other) noexcept = default;
  RemoteWatch& operator=(RemoteWatch&& other) noexcept;
  ~RemoteWatch() { Forget(); }

  // No Down comes any more, also if it waits in the mailbox.
  void Forget();

  // The name of the watched actor; empty if this watches nothing.
  std::string watched() const { return owed_ != nullptr ? owed_->name() : ""; }

 private:
  void Begin();

  Ref<Link> link_;
  std::shared_ptr<OwedDown> owed_;  // null: watches nothing
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_REMOTE_WATCH_H_
