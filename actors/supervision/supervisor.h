// SPDX-License-Identifier: Apache-2.0
//
// Supervisor: an actor that starts other actors, restarts them when they fail,
// and stops them, as a supervisor of Erlang/OTP does. A supervisor may be the
// child of another one, so a program is a tree.
//
//   auto app = bus.Spawn<trolley::Supervisor>(
//       {.name = "app"},
//       trolley::SupervisorOptions{.strategy = trolley::Strategy::kRestForOne},
//       std::vector<trolley::ChildSpec>{
//           trolley::Child<Store>({.name = "store"}, path),
//           trolley::Child<Server>({.name = "server", .loop = 1}, port)});
//   app->AskAndWait(trolley::AwaitUp{}, absl::Seconds(10));
//   auto store = bus.Find<Store>("app/store");   // a Ref for all its objects
//
// The parts: supervisor_options.h has the strategy, the budget and the backoff;
// child_spec.h the children; supervisor_messages.h the asks. `trolley tree`
// shows a running tree: supervision_tree.h.
//
// Start. The children start in the order of the list, each when the one before
// it is up: its OnStart() and its OnStartTask() have finished, and those of all
// its children. The supervisor reserves the names of all children at first, so
// a child may send to a later one: the message waits in the mailbox.
//
// Failure. Restart (child_spec.h) says which ends lead to a restart. A factory,
// a constructor, an OnStart() or an OnStartTask() that fails counts as any
// other failure. For kOneForAll and kRestForOne the supervisor first stops the
// others, in reverse order. Then it waits for the backoff, and starts them in
// their order. A child of the group that ends in the meantime does not count.
// A child that has ended and is not restarted stays as it is.
//
// A restart keeps the name, the address and the watchers of a child: a Ref to
// it goes on working. The message that was in hand is not handled again.
//
// Escalation. A failure that the budget does not allow ends the supervisor: it
// stops its children in reverse order, and then it fails with ResourceExhausted
// and a text for people. So it is a failed child of its own parent, which may
// restart it with fresh children. If it has no parent, watch it.
//
// Stop. One child is stopped after the other, the last one first. It may handle
// its mailbox until ChildOptions::stop_within; then it is stopped hard. If its
// handler does not return, the supervisor logs this, shows it as kStuck, and
// goes on after SupervisorOptions::patience. A stuck child that is to be
// restarted starts when its handler has returned, and those after it wait. When
// the supervisor ends, the seats without an object close first.
//
//   how the supervisor ends      its children
//   StopTree, escalation, its    are stopped in reverse order, each by its
//   parent stops it              deadline. Their names are free when it ends
//   Bus::Shutdown                the same from OnDrain() on, and none restarts.
//                                The root does it, in the order of the whole
//                                tree. The bus ends what has not ended in time
//   Address::Stop(), the end of  their seats close in reverse order, at once.
//   its loop, a parent's stop    It does not wait for their ends
//   after its deadline
//
// Ownership: the bus owns it; it owns the seats of its children.
// Threads:   as any actor.
// Bounds:    SupervisorOptions. Asks that wait hold half of its mailbox, no
//            more.
// Ends:      see the table. Options that are not valid end it with
//            InvalidArgument: see ValidateSupervisorOptions() and
//            ValidateChildren().

#ifndef TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_H_
#define TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/supervision/child_spec.h"
#include "trolley/actors/supervision/internal/child_table.h"
#include "trolley/actors/supervision/internal/restart_budget.h"
#include "trolley/actors/supervision/internal/seat_owner.h"
#include "trolley/actors/supervision/supervisor_messages.h"
#include "trolley/actors/supervision/supervisor_options.h"
#include "trolley/actors/watch.h"
#include "trolley/bus/exit_reason.h"

namespace trolley {

namespace internal {

// To the supervisor itself: the timer of a child, or of a group, is due.
struct ChildDue {
  uint64_t child;
  uint64_t serial;
};
struct PauseOver {
  uint64_t serial;
};

}  // namespace internal

class Supervisor final : public internal::SeatOwner {
 public:
  // An ask that waits does not keep others waiting.
  static constexpr bool kInterleaved = true;

  Supervisor(SupervisorOptions options, std::vector<ChildSpec> children);

  // The asks: supervisor_messages.h.
  std::vector<ChildInfo> On(const GetChildren&);
  ChildrenPage On(const GetChildrenPage& m);
  Task<absl::Status> On(AwaitUp);
  Task<absl::StatusOr<Address>> On(StartChild m);
  Task<absl::Status> On(RestartChild m);
  Task<absl::Status> On(StopChild m);
  void On(const StopTree&);

  // --- For the library only ---
  void On(const SeatTaken& m) override;
  void On(const SeatEmpty& m) override;
  void On(const Down& m);
  void On(const internal::ChildDue& m);
  void On(const internal::PauseOver& m);
  Task<absl::Status> OnStartTask();

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  using Child = internal::SupervisedChild;
  using Operation = std::shared_ptr<internal::ChildOperation>;
  enum class Phase {
    kRunning,   // children with an index below started_ have had their turn
    kStopping,  // those from started_ on stop, to be restarted
    kPausing,   // they have ended; the backoff is not over
    kEnding,    // all stop, and none is restarted
  };
  enum class End { kNone, kDrained, kStopped, kFailed };  // the later one wins

  // --- What happens next; each handler ends with Continue() ---
  void Continue();
  void StartInOrder();
  void StopInReverse();
  void BeginEnding(End how, absl::Status error = absl::OkStatus());
  void CloseEmptySeats();
  void FinishEnding();
  void Fail(absl::Status error);
  // True: no child is restarted any more.
  // mutant: P20_AChildThatIsASupervisorRestartsDuringAShutdown
  bool ends() const { return draining_ || phase_ == Phase::kEnding; }
  bool AllAreUp() const;

  // --- One child ---
  absl::Status Reserve(Child& child);
  void Start(Child& child);
  void StartUnlessItsTurnComes(Child& child);
  void IsUp(Child& child);
  // It has ended, or its start has failed, and it was not told to.
  void HasFailed(Child& child, ExitReason reason);
  // It has ended because it was told to.
  void HasStopped(Child& child);
  // Its seat has ended.
  void HasGone(Child& child);
  // `for_good`: it is not started again. These two return true if the end of
  // the child is to be waited for, and false if it has come or never will.
  bool Stop(Child& child, bool for_good);
  bool Close(Child& child);
  void Escalate(const Child& child);
  void DropMailbox(Child& child);
  void Arm(Child& child, internal::ChildTimer purpose, absl::Duration after);
  void Disarm(Child& child);

  // --- Asks that wait ---
  absl::StatusOr<Operation> BeginRestart(const std::string& name);
  absl::StatusOr<Operation> BeginStop(const std::string& name);
  absl::StatusOr<Child*> BeginStart(ChildSpec spec);
  absl::StatusOr<Child*> Find(const std::string& name);
  static Operation Await(Child& child, bool to_be_up);
  static void Resolve(Child& child, absl::Status result);
  static Task<absl::Status> Result(Operation operation);
  absl::Status Stuck(const Child& child) const;
  absl::Status Ending() const;

  // --- Texts ---
  static ChildInfo InfoOf(const Child& child);
  std::string NameOf(const Child& child) const {
    return prefix_ + child.spec.options.name;
  }
  void Log(const Child& child, const std::string& what,
           LogKind kind = LogKind::Here()) const;

  const SupervisorOptions options_;
  std::vector<ChildSpec> specs_;  // until OnStart()
  std::string prefix_;            // of the names of the children

  internal::ChildTable children_;
  Phase phase_ = Phase::kRunning;
  size_t started_ = 0;  // see Phase
  bool draining_ = false;
  End end_ = End::kNone;
  absl::Status error_;  // for End::kFailed
  internal::RestartBudget budget_;
  std::minstd_rand random_;
  absl::Duration pause_;    // the backoff of a group
  uint64_t pauses_ = 0;     // an older PauseOver is out of date
  AsyncCondition settled_;  // notified when AwaitUp may have its answer
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_SUPERVISOR_H_
