// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/supervision/supervisor.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

using internal::ChildTimer;
using Kind = ExitReason::Kind;

bool MustRestart(Restart restart, const ExitReason& reason) {
  switch (restart) {
    case Restart::kAlways:
      return true;
    case Restart::kOnFailure:
      return reason.kind != Kind::kStopped && reason.kind != Kind::kDrained;
    case Restart::kNever:
      return false;
  }
  return false;
}

// For people: what `reason` says, in any case something.
std::string TextOf(const ExitReason& reason) {
  const std::string text = reason.ToString();
  return text.empty() ? "its end has no known reason" : text;
}

}  // namespace

Supervisor::Supervisor(SupervisorOptions options,
                       std::vector<ChildSpec> children)
    : options_(options),
      specs_(std::move(children)),
      budget_(options.max_restarts, options.within) {}

// --- Its own life -----------------------------------------------------------

void Supervisor::OnStart() {
  absl::Status valid = ValidateSupervisorOptions(options_);
  valid.Update(ValidateChildren(specs_));
  if (specs_.size() > options_.max_children) {
    valid.Update(absl::InvalidArgumentError(
        absl::StrCat("there are ", specs_.size(),
                     " children, and "
                     "SupervisorOptions::max_children is ",
                     options_.max_children)));
  }
  if (!valid.ok()) {
    phase_ = Phase::kEnding;
    return Fail(std::move(valid));
  }
  const std::string name = address().ToString();
  // An actor without a name is shown as "#loop.slot.generation".
  if (!absl::StartsWith(name, "#")) prefix_ = absl::StrCat(name, "/");
  random_.seed(static_cast<uint32_t>(context().instance_id() ^
                                     address().id().word() ^
                                     context().Now().nanos()));
  for (ChildSpec& spec : specs_) {
    children_.Add(std::move(spec), /*listed=*/true);
  }
  specs_.clear();
  // An error shows again when the turn of that child has come.
  for (size_t i = 0; i < children_.size(); ++i) {
    Reserve(children_[i]).IgnoreError();
  }
  Continue();
}

// For its parent, a supervisor is up when its children are. If it ends before,
// its end cancels this.
Task<absl::Status> Supervisor::OnStartTask() {
  while (!AllAreUp() && !draining_) co_await settled_.Wait();
  co_return absl::OkStatus();
}

void Supervisor::OnDrain() {
  draining_ = true;
  settled_.Notify();
  if (is_child()) {
    CloseEmptySeats();
  } else {
    // mutant: P20_TheRootDoesNotStopItsTreeAtShutdown
    BeginEnding(End::kDrained);
  }
  Continue();
}

void Supervisor::OnStop() {
  for (size_t i = children_.size(); i > 0; --i) {
    children_[i - 1].watch.Forget();
    children_[i - 1].seat.Close();
  }
}

void Supervisor::On(const StopTree&) {
  BeginEnding(End::kStopped);
  Continue();
}

void Supervisor::BeginEnding(End how, absl::Status error) {
  if (how > end_) {
    end_ = how;
    error_ = std::move(error);
  }
  if (phase_ == Phase::kEnding) return;
  phase_ = Phase::kEnding;
  ++pauses_;  // a backoff that is under way ends nothing
  started_ = 0;
  CloseEmptySeats();
  settled_.Notify();
}

// No object will come, and so nothing must wait for one.
void Supervisor::CloseEmptySeats() {
  for (size_t i = children_.size(); i > 0; --i) {
    Child& child = children_[i - 1];
    // mutant: P20_WhatWaitsForARestartIsNotFailedAtTheEnd
    if (child.state == ChildState::kWaiting) Stop(child, /*for_good=*/true);
  }
}

// All children have ended, but for those that are stuck.
void Supervisor::FinishEnding() {
  if (end_ == End::kStopped) Actor::Stop();
  // mutant: P20_AnEscalationEndsAsIfItWereStopped
  if (end_ == End::kFailed) Fail(error_);
}

void Supervisor::Fail(absl::Status error) {
  // An error of a background task ends an actor with kFailed.
  struct Background {
    static Task<absl::Status> Return(absl::Status error) { co_return error; }
  };
  RunInBackground(Background::Return(std::move(error)));
}

// --- What happens next ------------------------------------------------------

void Supervisor::Continue() {
  if (phase_ == Phase::kStopping || phase_ == Phase::kEnding) StopInReverse();
  if (phase_ == Phase::kRunning && !ends()) StartInOrder();
  if (!settled_.empty() && AllAreUp()) settled_.Notify();
}

void Supervisor::StartInOrder() {
  for (; started_ < children_.size(); ++started_) {
    Child& child = children_[started_];
    if (child.state == ChildState::kUp || child.state == ChildState::kEnded) {
      continue;
    }
    // A child with a timer waits for its backoff.
    if (child.state == ChildState::kWaiting &&
        child.timer == ChildTimer::kNone) {
      Start(child);
    }
    // mutant: P20_ChildrenStartAtOneTime
    return;
  }
}

void Supervisor::StopInReverse() {
  for (size_t i = children_.size(); i > started_; --i) {
    Child& child = children_[i - 1];
    if (child.state == ChildState::kStopping) return;
    const bool for_good =
        ends() || child.spec.options.restart == Restart::kNever;
    // mutant: P20_ChildrenStopAtOneTime
    if (Stop(child, for_good)) return;
  }
  if (phase_ == Phase::kEnding) {
    // Not at once: the asks that wait have their replies first. The timers of
    // the loop wake them in order, and this message comes after them.
    TellAfter(this, absl::ZeroDuration(), internal::PauseOver{++pauses_});
    return;
  }
  phase_ = Phase::kPausing;
  TellAfter(this, pause_, internal::PauseOver{++pauses_});
}

void Supervisor::On(const internal::PauseOver& m) {
  if (m.serial != pauses_) return;
  if (phase_ == Phase::kEnding) return FinishEnding();
  if (phase_ != Phase::kPausing) return;
  phase_ = Phase::kRunning;
  Continue();
}

bool Supervisor::AllAreUp() const {
  if (phase_ != Phase::kRunning) return false;
  for (size_t i = 0; i < children_.size(); ++i) {
    const ChildState state = children_[i].state;
    if (state != ChildState::kUp && state != ChildState::kEnded) return false;
  }
  return true;
}

// --- The start of a child ---------------------------------------------------

absl::Status Supervisor::Reserve(Child& child) {
  const ChildOptions& options = child.spec.options;
  absl::StatusOr<Seat> seat =
      child.spec.reserve(Ref<internal::SeatOwner>(address()),
                         SpawnOptionsOf(options, NameOf(child)));
  if (!seat.ok()) return seat.status();
  Watch watch(Self(this), seat->address());
  children_.SetSeat(child, *std::move(seat), std::move(watch));
  return absl::OkStatus();
}

void Supervisor::Start(Child& child) {
  child.ends_for_good = false;
  if (!child.seat) {
    if (absl::Status reserved = Reserve(child); !reserved.ok()) {
      child.last_exit = {.kind = Kind::kFailed, .error = std::move(reserved)};
      // mutant: P20_AStartThatFailsIsSilent
      return Arm(child, ChildTimer::kFailedStart, absl::ZeroDuration());
    }
  }
  child.state = ChildState::kStarting;
  child.round = child.seat.Fill();
  ++child.starts;
}

void Supervisor::StartUnlessItsTurnComes(Child& child) {
  if (children_.IndexOf(child) < started_) Start(child);
}

void Supervisor::On(const SeatTaken& m) {
  Child* const child = children_.FindBySeat(m.seat);
  if (child == nullptr || m.round != child->round ||
      child->state != ChildState::kStarting) {
    return;
  }
  IsUp(*child);
  Continue();
}

void Supervisor::IsUp(Child& child) {
  child.state = ChildState::kUp;
  child.was_up = true;
  child.delay.BeginUp(context().Now());
  if (child.operation != nullptr && child.operation->to_be_up) {
    Resolve(child, absl::OkStatus());
  }
}

// --- The end of a child -----------------------------------------------------

void Supervisor::On(const SeatEmpty& m) {
  Child* const child = children_.FindBySeat(m.seat);
  if (child == nullptr || m.round != child->round || child->closed) return;
  Disarm(*child);
  const bool was_told = child->state == ChildState::kStopping ||
                        child->state == ChildState::kStuck;
  child->state = ChildState::kWaiting;
  if (was_told) {
    child->last_exit = m.reason;
    HasStopped(*child);
  } else {
    HasFailed(*child, m.reason);
  }
  Continue();
}

void Supervisor::On(const Down& m) {
  Child* const child = children_.FindBySeat(m.actor);
  if (child == nullptr) return;
  const bool was_closed = child->closed;
  const ChildState state = child->state;
  children_.ClearSeat(*child);
  if (was_closed) {
    HasGone(*child);
    // mutant: P20_TheEndOfALoopIsSilent
  } else if (state != ChildState::kWaiting) {
    // Its loop has ended.
    Disarm(*child);
    child->state = ChildState::kWaiting;
    if (state == ChildState::kStopping || state == ChildState::kStuck) {
      child->last_exit = m.reason;
      HasStopped(*child);
    } else {
      HasFailed(*child, m.reason);
    }
  }
  Continue();
}

void Supervisor::HasStopped(Child& child) {
  child.delay.EndUp();
  if (child.ends_for_good || ends()) {
    Close(child);
    return;
  }
  DropMailbox(child);
  StartUnlessItsTurnComes(child);
}

void Supervisor::HasFailed(Child& child, ExitReason reason) {
  child.last_exit = std::move(reason);
  if (ends() || !MustRestart(child.spec.options.restart, child.last_exit) ||
      (!child.listed && !child.was_up)) {
    Close(child);
    return;
  }
  DropMailbox(child);
  const size_t index = children_.IndexOf(child);
  // mutant: P20_AFailureInAGroupCounts
  if (phase_ != Phase::kRunning && index >= started_) {
    return child.delay.EndUp();  // it is one of those that restart anyhow
  }
  const Instant now = context().Now();
  // mutant: P20_AFailureOverTheBudgetIsSilent
  if (!budget_.Spend(now)) return Escalate(child);
  const double chance =
      static_cast<double>(random_() - std::minstd_rand::min()) /
      (std::minstd_rand::max() - std::minstd_rand::min());
  const absl::Duration pause = child.delay.Next(options_, now, chance);
  Log(child, absl::StrCat("is started again in ", absl::FormatDuration(pause),
                          ", because it ended: ", TextOf(child.last_exit)));
  if (options_.strategy == Strategy::kOneForOne) {
    return Arm(child, ChildTimer::kStart, pause);
  }
  // mutant: P20_OneForAllLeavesTheFirstOnesAlone
  const size_t first = options_.strategy == Strategy::kOneForAll ? 0 : index;
  started_ = std::min(started_, first);
  pause_ = pause;
  phase_ = Phase::kStopping;
}

void Supervisor::Escalate(const Child& child) {
  const std::string why = absl::StrCat(
      "more than ", options_.max_restarts, " restarts within ",
      absl::FormatDuration(options_.within), "; the last to end was ",
      NameOf(child), ": ", TextOf(child.last_exit));
  Log(child, absl::StrCat("makes ", address().ToString(), " end: ", why));
  BeginEnding(End::kFailed, absl::ResourceExhaustedError(why));
}

bool Supervisor::Stop(Child& child, bool for_good) {
  child.ends_for_good = child.ends_for_good || for_good;
  switch (child.state) {
    case ChildState::kWaiting:
      if (child.ends_for_good) return Close(child);
      Disarm(child);
      return false;
    case ChildState::kStarting:
    case ChildState::kUp: {
      child.delay.EndUp();
      const absl::Duration within = child.spec.options.stop_within;
      const bool at_once = within <= absl::ZeroDuration();
      const bool was_up = child.state == ChildState::kUp;
      child.state = ChildState::kStopping;
      const bool is_told =
          child.spec.is_supervisor && !at_once &&
          Ref<Supervisor>(child.seat.address()).Tell(StopTree{}) ==
              Delivery::kAccepted;
      if (!is_told) child.seat.Vacate(/*drain=*/was_up && !at_once);
      Arm(child, at_once ? ChildTimer::kGiveUp : ChildTimer::kHardStop,
          at_once ? options_.patience : within);
      return true;
    }
    case ChildState::kStopping:
      return true;
    case ChildState::kStuck:
      if (child.ends_for_good && !child.closed) {
        child.closed = true;
        child.seat.Close();
      }
      return false;
    case ChildState::kEnded:
      return false;
  }
  return false;
}

bool Supervisor::Close(Child& child) {
  Disarm(child);
  if (!child.seat) {
    HasGone(child);
    return false;
  }
  child.state = ChildState::kStopping;
  child.ends_for_good = true;
  child.closed = true;
  child.seat.Close();
  Arm(child, ChildTimer::kGiveUp, options_.patience);
  return true;
}

void Supervisor::HasGone(Child& child) {
  Disarm(child);
  child.state = ChildState::kEnded;
  if (child.operation != nullptr) {
    Resolve(child,
            child.operation->to_be_up
                ? absl::AbortedError(absl::StrCat(
                      NameOf(child), " has ended: ", TextOf(child.last_exit)))
                : absl::OkStatus());
  }
  if (child.listed) return;
  if (children_.IndexOf(child) < started_) --started_;
  children_.Remove(child);
}

void Supervisor::DropMailbox(Child& child) {
  // mutant: P20_AMailboxIsNeverKept
  if (child.spec.options.keep_mailbox && !child.spec.is_supervisor) return;
  // mutant: P20_AMailboxThatIsNotKeptIsKept
  if (child.seat) child.seat.DropMessages();
}

// --- The timer of a child ---------------------------------------------------

void Supervisor::Arm(Child& child, ChildTimer purpose, absl::Duration after) {
  Disarm(child);
  child.timer = purpose;
  child.timer_id = TellAfter(
      this, after, internal::ChildDue{child.id, ++child.timer_serial});
}

void Supervisor::Disarm(Child& child) {
  if (child.timer == ChildTimer::kNone) return;
  CancelTimer(child.timer_id);
  child.timer = ChildTimer::kNone;
}

void Supervisor::On(const internal::ChildDue& m) {
  Child* const child = children_.FindById(m.child);
  // A message that was in the mailbox when its timer was disarmed does nothing.
  if (child == nullptr || child->timer_serial != m.serial) return;
  switch (std::exchange(child->timer, ChildTimer::kNone)) {
    case ChildTimer::kNone:
      return;
    case ChildTimer::kStart:
      Start(*child);
      break;
    case ChildTimer::kFailedStart:
      HasFailed(*child, child->last_exit);
      break;
    case ChildTimer::kHardStop:
      Log(*child,
          absl::StrCat("is stopped hard: it has not ended within ",
                       absl::FormatDuration(child->spec.options.stop_within)));
      // mutant: P20_AChildIsNotStoppedHard
      child->seat.Vacate();
      Arm(*child, ChildTimer::kGiveUp, options_.patience);
      break;
    case ChildTimer::kGiveUp:
      Log(*child, "is stuck: its handler has not returned after a hard stop");
      child->state = ChildState::kStuck;
      Stop(*child, child->ends_for_good);
      if (child->operation != nullptr) Resolve(*child, Stuck(*child));
      break;
  }
  Continue();
}

void Supervisor::Log(const Child& child, const std::string& what,
                     LogKind kind) const {
  const std::string name = NameOf(child);
  context().Log(absl::StrCat(name, " ", what), name, kind);
}

}  // namespace trolley
