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
// Threads:   thread-safe, except Shutdown(), RunUntilIdle(), NextTimer() and
//            the destructor, which no actor may call.
// Bounds:    BusOptions.
// Ends:      Shutdown(). Without it the destructor calls
//            Shutdown(absl::ZeroDuration()).

#ifndef TROLLEY_ACTORS_BUS_H_
#define TROLLEY_ACTORS_BUS_H_

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "trolley/actors/internal/actor_class_of.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/address.h"
#include "trolley/bus/inspect.h"
#include "trolley/bus/loop/bus_core.h"
#include "trolley/bus/loop/pending_spawn.h"
#include "trolley/bus/options.h"
#include "trolley/bus/shutdown_report.h"

namespace trolley {

class Bus {
 public:
  // Makes the pollers and starts the loops, each with a thread, and a thread
  // for the log.
  //
  //   InvalidArgument    an option is out of its range; the message names it
  //   NotFound           there is no poller of that name
  //   ResourceExhausted  no thread, descriptor, memory map or ring is left
  //   other              an error of a poller; the message names the loop
  //
  // An error leaves no thread and no descriptor behind. Here and everywhere, a
  // std::bad_alloc of the library ends the process.
  static absl::StatusOr<std::unique_ptr<Bus>> Create(BusOptions options);

  // The same for a main() or a test that cannot go on without a bus: an error
  // is printed to standard error, and std::exit(EXIT_FAILURE) ends the process.
  static Bus CreateOrDie(BusOptions options);

  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;
  ~Bus() = default;

  // Spawns an actor. The calling thread constructs it from `args`. If the
  // constructor throws, the caller gets the exception and no actor is spawned.
  // Needs memory, and no thread and no descriptor.
  //
  //   InvalidArgument    the name breaks the rules, there is no such loop, or
  //                      the capacity is 0
  //   AlreadyExists      the name is taken
  //   ResourceExhausted  the loop has LoopOptions::max_actors
  //   Unavailable        the bus is shutting down, or the loop has ended
  template <typename A, typename... Args>
  absl::StatusOr<Ref<A>> Spawn(const SpawnOptions& options, Args&&... args) {
    static_assert(internal::CanBeSpawned<A, Args&&...>());
    internal::PendingSpawn spawn(core_.state(), options,
                                 internal::ActorClassOf<A>());
    if (!spawn.ok() ||
        !spawn.Finish(std::make_unique<A>(std::forward<Args>(args)...))) {
      return spawn.status();
    }
    return Ref<A>(spawn.address());
  }

  // The running actor of that name.
  //
  //   NotFound            none runs; the message says why the last actor of
  //                       that name has ended
  //   FailedPrecondition  it is of another class (Find only)
  template <typename A>
  absl::StatusOr<Ref<A>> Find(absl::string_view name) const {
    absl::StatusOr<Address> address =
        core_.Find(name, internal::ActorClassOf<A>());
    if (!address.ok()) return address.status();
    return Ref<A>(*std::move(address));
  }
  absl::StatusOr<Address> FindAddress(absl::string_view name) const {
    return core_.Find(name);
  }

  // Calls `run` on the thread of loop `loop` (0 to loops() - 1), between the
  // handlers of its actors. It must return soon and not throw. False: that loop
  // has ended, or there is none; `run` is destroyed and not called.
  bool RunOnLoop(int loop, std::function<void()> run) const;
  int loops() const { return static_cast<int>(core_.state()->loops()); }

  // Calls `done` once with all loops and all actors, ordered by loop and slot;
  // on the thread of a loop, or in this call if the bus has ended. Memory grows
  // with the number of actors. A loop looks at messages_per_turn actors a turn,
  // so messages do not wait for it. A loop whose handler does not return delays
  // the answer.
  void Inspect(std::function<void(BusInfo)> done) const {
    core_.Inspect(std::move(done));
  }
  // The same for plain threads: waits for the answer. The actors are in the
  // order of their start. DeadlineExceeded: a loop has not answered within
  // `timeout` (durations as poller/instant.h says).
  absl::StatusOr<BusInfo> Inspect(absl::Duration timeout) const {
    return core_.Inspect(timeout);
  }
  // The same without the actors. The cost does not grow with their number.
  void InspectLoops(std::function<void(BusInfo)> done) const {
    core_.InspectLoops(std::move(done));
  }
  // Calls `done` with a page of at most `most` actors (at least 1) that begins
  // at `from`. A caller that asks for one page after the other sees an actor
  // once if it ran all the time, and at most once if it did not.
  void ListActors(ActorPosition from, uint32_t most,
                  std::function<void(ActorPage)> done) const {
    core_.ListActors(from, most, std::move(done));
  }
  // Calls `done` on the thread of the actor's loop; nullopt: the actor has
  // ended, or has not come to its loop yet. False: its loop has ended, or
  // `actor` is no address of this bus; `done` is destroyed and not called.
  bool InspectActor(const Address& actor,
                    std::function<void(std::optional<ActorInfo>)> done) const;
  // How many actors there are, those that are being spawned included.
  uint64_t CountActors() const { return core_.state()->CountActors(); }

  // The ledger of the whole bus. It balances when no message is on its way.
  Ledger ReadLedger() const { return core_.state()->ReadLedger(); }

  // Writes a line to the log of the bus; as ActorContext::Log.
  void Log(absl::string_view line, absl::string_view source = "",
           LogKind kind = LogKind::Here()) const {
    core_.state()->Log(line, source, kind);
  }
  // The system calls of TestOptions::sys.
  Sys& sys() const { return core_.state()->sys(); }
  // The time of TestOptions::clock.
  Instant Now() const { return core_.state()->clock().Now(); }
  // Names this run of the program (TestOptions::instance_id); not 0.
  uint64_t instance_id() const { return core_.state()->instance_id(); }
  // True: Shutdown() has begun.
  bool draining() const { return core_.state()->draining(); }

  // Ends the bus, in this order:
  //
  //   1. It refuses messages of plain threads (Delivery::kDraining).
  //   2. It calls OnDrain() of each actor.
  //   3. It waits until no message is on its way, or half of `deadline` has
  //      passed.
  //   4. It stops the actors, in reverse order of their start.
  //   5. The loops end.
  //
  // Returns by the deadline, even if a handler does not. A log whose sink takes
  // nothing adds LogOptions::patience. Needs no thread and no descriptor.
  // `deadline` follows poller/instant.h: a negative one is zero; an infinite
  // one waits for everything, an ask without an answer included. Later calls
  // return the first report. An actor must not call it.
  ShutdownReport Shutdown(absl::Duration deadline) {
    return core_.Shutdown(deadline);
  }

  // Only with TestOptions::single_threaded: runs all loops until none has work
  // that is due. Timers of the future do not fire.
  void RunUntilIdle() { core_.RunUntilIdle(); }
  // The same: when the next timer of any loop is due; infinite: there is none.
  Instant NextTimer() const { return core_.NextTimer(); }

 private:
  friend struct BusAccess;
  struct OrDie {};
  explicit Bus(BusOptions options) : core_(std::move(options)) {}
  Bus(BusOptions options, OrDie);

  internal::BusCore core_;
};

// For the library only.
struct BusAccess {
  static internal::BusCore& core(Bus& bus) { return bus.core_; }
  static const internal::BusCore& core(const Bus& bus) { return bus.core_; }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BUS_H_
