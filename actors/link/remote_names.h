// SPDX-License-Identifier: Apache-2.0
//
// RemoteNames: an actor waits until an actor of another process runs, and
// learns which messages that one takes.
//
//   class Client : public trolley::Actor {
//    public:
//     explicit Client(trolley::Ref<trolley::Link> link) : names_(link) {}
//     void OnStart() override {
//       RunInBackground([this]() -> trolley::Task<absl::Status> {
//         auto db = co_await names_.Await("db", absl::Seconds(30));
//         if (!db.ok()) co_return db.status();
//         absl::Status takes = db->Takes<Db>();  // a Protocol
//         if (!takes.ok()) co_return takes;
//         db_ = *Spawn<trolley::Remote<Db>>({}, names_.link(), "db");
//         ...
//       });
//     }
//    private:
//     const trolley::RemoteNames names_;
//     trolley::Ref<Db> db_;
//   };
//
// The link of the other process looks again and again, first after 1 ms, then
// after twice as long each time, up to 100 ms. Names
// (actors/behaviour/names.h) does so in one process.
//
// Ownership: a value; it shares the address of the link.
// Threads:   thread-safe. The tasks: loop thread only, in an actor.
// Bounds:    each call is one ask of the link (LinkOptions::max_pending_asks).
// Ends:      the tasks end with their coroutine; the other process forgets it
//            then.

#ifndef TROLLEY_ACTORS_LINK_REMOTE_NAMES_H_
#define TROLLEY_ACTORS_LINK_REMOTE_NAMES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"

namespace trolley {

// An actor of another process that ran when the answer was made.
struct RemoteActor {
  std::string name;
  // The full names of the messages that it takes from other processes, made
  // printable.
  std::vector<std::string> accepts;

  // Whether a Remote<P> finds all of its messages.
  //
  //   OK                  the actor takes each message of P
  //   FailedPrecondition  the text names those that it does not take
  template <typename P>
  absl::Status Takes() const {
    return TakesAll(static_cast<P*>(nullptr));
  }

 private:
  template <typename... Entries>
  absl::Status TakesAll(const Protocol<Entries...>*) const {
    return TakesTypes(
        {std::string(internal::ProtocolEntry<Entries>::Message::descriptor()
                         ->full_name())...});
  }
  absl::Status TakesTypes(const std::vector<std::string>& types) const;
};

class RemoteNames {
 public:
  // Between two attempts while the link is down.
  static constexpr absl::Duration kPause = absl::Milliseconds(100);

  explicit RemoteNames(Ref<Link> link) : link_(std::move(link)) {}

  const Ref<Link>& link() const { return link_; }

  // Gives the actor that has the name now.
  //
  //   InvalidArgument    no actor can have that name
  //   NotFound           no running actor has it; or the link has ended
  //   Unavailable        the link is down, or the other process shuts down
  //   DeadlineExceeded   no answer came within `timeout`
  //   ResourceExhausted  too many asks are under way, here or over there
  //   Unimplemented      the other process is of a version without lookups
  Task<absl::StatusOr<RemoteActor>> Find(std::string name,
                                         absl::Duration timeout) const {
    return LookUp(link_, std::move(name), /*wait=*/false, timeout);
  }

  // Gives it as soon as there is one. While the link is down, and when the
  // connection ends, it waits for the next connection. Errors: as Find(), with
  // these differences:
  //
  //   NotFound           the link has ended
  //   Unavailable        the link is down when `timeout` has passed
  //   DeadlineExceeded   none has run within `timeout`
  Task<absl::StatusOr<RemoteActor>> Await(std::string name,
                                          absl::Duration timeout) const {
    return LookUp(link_, std::move(name), /*wait=*/true, timeout);
  }

 private:
  // Not a member: the task does not refer to this.
  static Task<absl::StatusOr<RemoteActor>> LookUp(Ref<Link> link,
                                                  std::string name, bool wait,
                                                  absl::Duration timeout);

  Ref<Link> link_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_LINK_REMOTE_NAMES_H_
