// SPDX-License-Identifier: Apache-2.0
//
// Bus: starts loops, spawns actors on them, and ends them with a report.
//
//   auto bus = trolley::Bus::CreateOrDie(
//       {.loops = {{.poller = "epoll"}, {.poller = "epoll"}}});
//   auto account = bus.Spawn<Account>({.name = "accounts/alice"}, 100);
//   account->Tell(Deposit{25});
//   trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
//
// Ownership: owns its threads, loops and actors. Addresses may outlive it.
// Threads:   thread-safe, but for Shutdown() and the destructor, which no actor
//            may call.
// Bounds:    BusOptions.
// Ends:      Shutdown(), else the destructor, which calls it with no deadline
//            to spare: Shutdown(absl::ZeroDuration()).

#ifndef TROLLEY_BUS_BUS_H_
#define TROLLEY_BUS_BUS_H_

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/bus/address.h"
#include "trolley/bus/birth.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/loop.h"
#include "trolley/bus/options.h"
#include "trolley/bus/shutdown_report.h"

namespace trolley {

template <typename A>
class Ref;
template <typename A>
const ActorClass* ActorClassOf();  // actors/actor_class_of.h

class Bus {
 public:
  // Makes the pollers and starts the loops, and a thread for the log.
  // InvalidArgument: an option is out of its range (ValidateBusOptions).
  // NotFound: a poller's name is not known. ResourceExhausted:
  // no thread is to be had. Otherwise what the poller says: ResourceExhausted
  // for descriptors, memory maps and rings. The message names the loop.
  // Whatever the error, no thread and no descriptor is left behind. Only plain
  // memory is taken for granted: an allocation that fails (std::bad_alloc)
  // ends the process, here and everywhere.
  static absl::StatusOr<std::unique_ptr<Bus>> Create(BusOptions options);

  // The same for a main() or a test that cannot go on without a bus: an error
  // is printed to standard error, and std::exit(EXIT_FAILURE) ends the process.
  static Bus CreateOrDie(BusOptions options);

  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus();

  // Spawns an actor constructed from `args` by the calling thread. What the
  // constructor throws reaches the caller, and no actor is spawned.
  // Errors: as Birth (bus/birth.h).
  template <typename A, typename... Args>
  absl::StatusOr<Ref<A>> Spawn(const SpawnOptions& options, Args&&... args) {
    Birth birth(state_, options, ActorClassOf<A>());
    if (!birth.status().ok()) return birth.status();
    absl::StatusOr<Address> address =
        birth.Finish(std::make_unique<A>(std::forward<Args>(args)...));
    if (!address.ok()) return address.status();
    return Ref<A>(*std::move(address));
  }

  // The running actor of that name.
  // NotFound: there is none. FailedPrecondition: it is of another class.
  template <typename A>
  absl::StatusOr<Ref<A>> Find(absl::string_view name) const {
    absl::StatusOr<Address> address = FindClass(name, ActorClassOf<A>());
    if (!address.ok()) return address.status();
    return Ref<A>(*std::move(address));
  }

  // What the bus looks like, with each actor, in the order of their places: as
  // much memory as there are actors. The loops look at messages_per_turn cells
  // a turn, so the answer takes its time and nobody else does. `done` runs on a
  // loop's thread, or on the caller's if the bus has ended; a loop that is
  // stuck delays it.
  void Inspect(std::function<void(BusInfo)> done) const;
  // The same for plain threads, in the order in which the actors were started.
  // DeadlineExceeded: a loop did not answer within `timeout`, which goes by the
  // rule of poller/instant.h.
  absl::StatusOr<BusInfo> Inspect(absl::Duration timeout) const;
  // The same without the actors: at once, however many there are.
  void InspectLoops(std::function<void(BusInfo)> done) const;
  // At most `most` actors, at least 1, from a place on (bus/actor_pages.h).
  void ListActors(ActorPlace from, uint32_t most,
                  std::function<void(ActorPage)> done) const;

  // The ledger of the whole bus; balances whenever nothing is on its way.
  Ledger ReadLedger() const { return state_->ReadLedger(); }

  // Ends the bus: refuses work from outside, tells the actors to drain, waits
  // until nothing is on its way any more or half of `deadline` has passed,
  // stops the actors in reverse order of their start, and ends the loops.
  // Returns by the deadline even if a handler does not, and after
  // LogOptions::patience more if the log's sink takes nothing. Needs no thread
  // and no descriptor. `deadline` goes by the
  // rule of poller/instant.h: negative is none to spare; one that never comes
  // waits for whatever is under way, an ask without an answer too. Idempotent:
  // later calls return the first report. Never called by an actor.
  ShutdownReport Shutdown(absl::Duration deadline);

  // Only with BusOptions::single_threaded: runs every loop until none has
  // anything to do now. Timers in the future stay there.
  void RunUntilIdle();

  const BusState::Ptr& state() const { return state_; }
  Loop& loop(int index) { return *loops_[index]; }

 private:
  struct OrDie {};
  explicit Bus(BusState::Ptr state) : state_(std::move(state)) {}
  Bus(BusState::Ptr state, OrDie);
  absl::Status Start();
  absl::Status StartThreads();
  // A turn of each loop. False if none had anything to do.
  bool RunTurns();
  absl::StatusOr<Address> FindClass(absl::string_view name,
                                    const ActorClass* wanted) const;

  class Ending;  // Shutdown's steps; in shutdown.cc

  BusState::Ptr state_;
  // Shared with their threads: one whose handler never returns outlives us.
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
  std::unique_ptr<ShutdownReport> report_;  // once it has ended
};

}  // namespace trolley

#endif  // TROLLEY_BUS_BUS_H_
