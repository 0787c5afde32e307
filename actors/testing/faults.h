// SPDX-License-Identifier: Apache-2.0
//
// Faults for tests of actors. Each does one thing that a program meets when
// much goes wrong:
//
//   FillMailbox(sim, ref, Job{});      the mailbox of an actor is full
//   Kill(sim, ref.address());          an actor is stopped
//   CrashIt(sim, ref);                 an actor throws (see Crashing)
//   sim.HoldLoop(1, absl::Seconds(2)); a loop is slow (sim_bus.h)
//   sim.sys().FailAll(SysCall::kConnect, ECONNREFUSED);
//                                      system calls fail (poller/fault_sys.h)
//
// Ownership: functions; they keep nothing.
// Threads:   one, that of the test.
// Bounds:    FillMailbox() sends what the mailbox takes.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_FAULTS_H_
#define TROLLEY_ACTORS_TESTING_FAULTS_H_

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/testing/sim_bus.h"
#include "trolley/bus/address.h"
#include "trolley/bus/delivery.h"

namespace trolley::testing {

// Tells copies of `message` until one is refused; no loop has a turn meanwhile.
// Returns how many were accepted: 0 if the mailbox was full, or the actor has
// ended. With Overflow::kDropOldest it is the capacity and
// SpawnOptions::kMostOnTheWay more.
template <typename Target, typename M>
uint64_t FillMailbox(SimBus& sim, const Ref<Target>& ref, const M& message) {
  uint64_t accepted = 0;
  while (ref.Tell(message) == Delivery::kAccepted) ++accepted;
  sim.Note(absl::StrCat("fill the mailbox of ", ref.address().ToString(),
                        " with ", accepted, " messages"));
  return accepted;
}

// Ends an actor at once, as Address::Stop() does: the messages in its mailbox
// become dead letters. Then runs the bus until it is idle. kGone: it had ended.
inline Delivery Kill(SimBus& sim, const Address& actor) {
  sim.Note(absl::StrCat("kill ", actor.ToString()));
  const Delivery stopped = actor.Stop();
  sim.RunUntilIdle();
  return stopped;
}

// To a Crashing actor: its handler throws a std::runtime_error.
struct CrashNow {
  std::string why = "the test wants it";
};

// An A that can be made to throw. A test spawns it in place of an A, or lets
// the factory of a seat or of a supervisor make one. A Ref of A leads to it:
//
//   auto crashing = sim.Spawn<Crashing<Worker>>({.name = "worker"});
//   Ref<Worker> worker(crashing.address());
//   CrashIt(sim, crashing);
//
// The handlers of A are public, and A is not final.
template <typename A>
class Crashing : public A {
 public:
  using A::A;
  using A::On;
  void On(const CrashNow& m) { throw std::runtime_error(m.why); }
};

// Tells a CrashNow, and runs the bus until it is idle. kAccepted: the actor
// throws when it comes to the message. Other codes: as Ref::Tell, and the actor
// does not throw. Use it for no actor but a Crashing one.
template <typename A>
Delivery CrashIt(SimBus& sim, const Ref<Crashing<A>>& ref, CrashNow how = {}) {
  sim.Note(absl::StrCat("crash ", ref.address().ToString()));
  const Delivery told = ref.Tell(std::move(how));
  sim.RunUntilIdle();
  return told;
}

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_FAULTS_H_
