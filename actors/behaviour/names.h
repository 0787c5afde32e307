// SPDX-License-Identifier: Apache-2.0
//
// Names: an actor waits until another one runs, or lists actors by their names.
//
//   class Client : public trolley::Actor {
//    public:
//     explicit Client(const trolley::Bus& bus) : names_(bus) {}
//     void OnStart() override {
//       RunInBackground([this]() -> trolley::Task<absl::Status> {
//         auto db = co_await names_.Await<Db>("db", absl::Seconds(30));
//         if (!db.ok()) co_return db.status();
//         db_ = *std::move(db);
//         ...
//       });
//     }
//    private:
//     const trolley::Names names_;
//     trolley::Ref<Db> db_;
//   };
//
//   bus.Spawn<Client>({.name = "client"}, std::cref(bus));
//
// The bus has no event for a new name, so Await() looks again and again: first
// after kFirstPause, then after twice as long each time, up to kLongestPause. A
// look costs about as much as a send.
//
// Ownership: a value; it borrows the bus, which outlives its actors.
// Threads:   thread-safe. The tasks: loop thread only, in an actor of that bus.
// Bounds:    Await(): a timer. List(): kPage actors at a time, and the names
//            that it returns. Its cost grows with the number of actors, but
//            messages do not wait for it.
// Ends:      the tasks end with their coroutine.

#ifndef TROLLEY_ACTORS_BEHAVIOUR_NAMES_H_
#define TROLLEY_ACTORS_BEHAVIOUR_NAMES_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/context.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"
#include "trolley/bus/options.h"

namespace trolley {

struct NameList {
  std::vector<std::string> names;  // sorted
  bool all = true;                 // false: there were more
};

class Names {
 public:
  static constexpr absl::Duration kFirstPause = absl::Milliseconds(1);
  static constexpr absl::Duration kLongestPause = absl::Milliseconds(100);
  static constexpr uint32_t kPage = 256;  // actors; a count

  explicit Names(const Bus& bus) : bus_(&bus) {}

  // Gives the running actor `name`, as Bus::Find(), as soon as there is one. It
  // may have ended again when the coroutine goes on.
  //
  //   InvalidArgument     no actor can have that name
  //   FailedPrecondition  it is of another class than A
  //   DeadlineExceeded    none has run within `timeout`. There is one look at
  //                       least.
  //   Unavailable         the bus is shutting down, and none runs
  template <typename A>
  Task<absl::StatusOr<Ref<A>>> Await(std::string name,
                                     absl::Duration timeout) const {
    return AwaitOn<A>(bus_, std::move(name), timeout);
  }

  // Gives the names of running actors that begin with `prefix`, at most `most`
  // of them; an empty prefix: all names. Actors that start or end meanwhile may
  // be in it or not.
  Task<NameList> List(std::string prefix, uint32_t most) const {
    return ListOn(bus_, std::move(prefix), most);
  }

 private:
  // Not members: the tasks do not refer to this.
  template <typename A>
  static Task<absl::StatusOr<Ref<A>>> AwaitOn(const Bus* bus, std::string name,
                                              absl::Duration timeout) {
    if (absl::Status valid = ValidateActorName(name); !valid.ok()) {
      co_return valid;
    }
    const ActorContext context = *ActorContext::OfThisThread();
    const Instant deadline = context.Now() + timeout;
    absl::Duration pause = kFirstPause;
    for (;;) {
      absl::StatusOr<Ref<A>> found = bus->Find<A>(name);
      if (!absl::IsNotFound(found.status())) co_return found;
      const absl::Duration left = deadline - context.Now();
      if (left <= absl::ZeroDuration() || bus->draining()) {
        co_return GiveUp(*bus, found.status(), absl::FormatDuration(timeout));
      }
      co_await context.Sleep(std::min(pause, left));
      pause = std::min(2 * pause, kLongestPause);
    }
  }
  static absl::Status GiveUp(const Bus& bus, const absl::Status& not_found,
                             const std::string& waited);
  static Task<NameList> ListOn(const Bus* bus, std::string prefix,
                               uint32_t most);

  const Bus* bus_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BEHAVIOUR_NAMES_H_
