// SPDX-License-Identifier: Apache-2.0
#include "trolley/bus/loop/loop.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/loop/actor_requests.h"

namespace trolley::internal {

namespace {

// How often a busy loop gives back credits that it does not use. Seldom: each
// actor costs an atomic operation, and one more when it gets a message again.
constexpr uint64_t kTurnsBetweenReturns = 32;

}  // namespace

thread_local constinit Loop* Loop::current_ = nullptr;

Loop::Loop(BusState::Ptr bus, uint32_t index, std::unique_ptr<Poller> poller)
    : bus_(std::move(bus)),
      inbox_(bus_->inbox(index)),
      options_(bus_->options().loops[index]),
      clock_(bus_->clock()),
      poller_(std::move(poller)),
      descriptors_(*poller_),
      inspector_(std::string(poller_->capabilities().name), router_,
                 coroutines_),
      events_(options_.events_per_wait) {
  inbox_.poller = poller_.get();
  bus_->references().BeginApart();
}

Loop::~Loop() {
  End();
  bus_->references().EndApart(inbox_.references);
}

Loop* Loop::Enter() {
  LoopInbox::current = &inbox_;
  return std::exchange(current_, this);
}

void Loop::Leave(Loop* outer) {
  LoopInbox::current = outer != nullptr ? &outer->inbox_ : nullptr;
  current_ = outer;
}

void Loop::Run() {
  Loop* const outer = Enter();
  // So a write to a peer that has closed is EPIPE, and does not end the
  // process. For processes that a handler starts see actors/mains_signals.h.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  bus_->sys().Sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  while (!ended_) {
    if (RunOnce()) continue;
    if (!ended_ && !SpinForWork()) Sleep();
  }
  Leave(outer);
}

bool Loop::RunOnce() {
  Loop* const outer = Enter();
  inbox_.stats.turns.Increment();
  bool worked = TakeHandedOver();
  // mutant: P7_ABusyLoopDoesNotLookAtTimers
  if (!timers_.empty()) worked |= timers_.FireDue(Now());
  if (!stepped_work_.empty()) {
    // mutant: P7_EachLookTakesAStep
    stepped_work_.Step();
    worked = true;
  }
  if (has_work()) {
    router_.HandleReplies(options_.messages_per_turn);
    runner_.RunSlices();
    worked = true;
  }
  router_.Flush();
  // A loop gives all back before it sleeps, but it may never sleep.
  // mutant: P6_ABusyLoopKeepsItsCredits
  if (inbox_.stats.turns.Read() % kTurnsBetweenReturns == 0) {
    router_.ReturnUnused();
  }
  // A loop that is about to sleep polls by sleeping. A loop that the caller
  // drives never sleeps, so it polls here when it has nothing else to do.
  // mutant: P7_ABusyLoopDoesNotLookAtDescriptors
  const bool due = worked ? ++turns_since_poll_ >= options_.turns_between_polls
                          : bus_->options().for_tests.single_threaded;
  if (due && !ended_ && !descriptors_.empty()) {
    inbox_.stats.polls.Increment();
    worked |= Poll(Instant()) > 0;
  }
  Leave(outer);
  return worked || has_work();
}

// Takes all messages, in the order in which they were sent.
bool Loop::TakeHandedOver() {
  Envelope* e = inbox_.handoff.Take();
  if (e == nullptr) return false;
  while (e != nullptr) {
    Envelope* next = e->next;
    if (next != nullptr) __builtin_prefetch(next->next);
    if (e->is_reply()) {
      router_.replies().Push(e);
    } else if (e->has(Envelope::kDataLane | Envelope::kUrgentLane)) {
      router_.Deliver(e);
    } else if (e->ops == &kControlMessage<Command>) {
      taken_ = next;  // if the command ends the loop, End() drops it
      std::move(e->payload<Command>())(*this);
      e->ops->drop(e);
      router_.Free(e);
      if (ended_) return true;
      taken_ = nullptr;
    } else if (e->ops == &kControlMessage<WatchRequest>) {
      Watch(e);
    } else if (e->ops == &kControlMessage<SpawnRequest>) {
      lifecycle_.Adopt(*inbox_.cells.Find(e->target.slot()),
                       e->payload<SpawnRequest>());
      e->ops->drop(e);
      router_.Free(e);
    } else if (e->ops == &kControlMessage<AbandonRequest>) {
      e->payload<AbandonRequest>().reservation.Release();
      e->ops->drop(e);
      lifecycle_.Abandon(*inbox_.cells.Find(e->target.slot()), e->target,
                         ExitReason::Kind::kFailed);
      router_.Free(e);
    } else {
      router_.Deliver(e);
    }
    e = next;
  }
  return true;
}

size_t Loop::Poll(Instant deadline) {
  turns_since_poll_ = 0;
  absl::StatusOr<WaitResult> result =
      poller_->Wait(absl::MakeSpan(events_), deadline);
  if (!result.ok()) {
    bus_->Log(absl::StrCat("loop ", index(), " ends, its ",
                           std::string(capabilities().name),
                           " poller is broken: ", result.status().ToString()));
    End();
    return 0;
  }
  descriptors_.Dispatch(absl::MakeSpan(events_).subspan(0, result->events));
  if (result->completed) descriptors_.DispatchCompleted();
  return result->events + result->completed;
}

bool Loop::SpinForWork() {
  // After 16 spins in a row without a message, only one in 16 is tried.
  constexpr uint32_t kPatience = 16;
  if (options_.spin <= absl::ZeroDuration()) return false;
  if (failed_spins_ >= kPatience && ++failed_spins_ % kPatience != 0) {
    return false;
  }
  // Reads the clock after the first round: most messages come in that round.
  Instant until;
  do {
    for (int i = 0; i < 64; ++i) {
      if (inbox_.handoff.HasWork()) {
        failed_spins_ = 0;
        return true;
      }
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    if (until == Instant()) {
      until = std::min(Now() + options_.spin, timers_.next());
    }
  } while (Now() < until);
  ++failed_spins_;
  return false;
}

bool Loop::PrepareToSleep() {
  // Before the loop sleeps, it gives back all that other loops could use.
  // mutant: P6_ASleepingLoopKeepsItsCredits
  router_.ReturnRemote();
  if (router_.ReturnLocal(options_.messages_per_turn)) return true;
  if (idle_callbacks_.empty()) return false;
  for (Command& callback : std::exchange(idle_callbacks_, {})) callback(*this);
  return true;
}

void Loop::Sleep() {
  if (PrepareToSleep()) return;
  if (!inbox_.handoff.Arm()) return;
  inbox_.stats.waits.Increment();
  Poll(timers_.next());
}

bool Loop::PostWork(LoopInbox& inbox, Work work) {
  return Post(inbox, [work = std::move(work)](Loop& loop) mutable {
    loop.stepped_work_.Add(
        [&loop, work = std::move(work)]() mutable { return work(loop); });
  });
}

void Loop::Watch(Envelope* e) {
  WatchRequest& request = e->payload<WatchRequest>();
  lifecycle_.WhenEnded(e->target, request.watch,
                       std::move(request.callback).Arrive());
  e->ops->drop(e);
  router_.Free(e);
}

// Drops messages of the hand-off, because the loop ends.
void Loop::Drop(Envelope* e) {
  while (e != nullptr) {
    Envelope* next = e->next;
    if (e->ops == &kControlMessage<WatchRequest>) {
      // Its actor may not have ended yet.
      // mutant: P10_AnEndIsToldTooSoon
      Watch(e);
    } else if (e->ops == &kControlMessage<SpawnRequest>) {
      e->payload<SpawnRequest>().reservation.Release();
      DropActor(e, bus_->EndOfLoop());
    } else if (e->ops == &kControlMessage<AbandonRequest>) {
      e->payload<AbandonRequest>().reservation.Release();
      DropActor(e, ExitReason::Kind::kFailed);
    } else {
      // mutant: P2_WhatIsOnItsWayToALoopThatEndsIsForgotten
      router_.DeadLetter(e);
    }
    e = next;
  }
}

// `e` is about an actor that has not come.
void Loop::DropActor(Envelope* e, ExitReason::Kind why) {
  const ActorId id = e->target;
  e->ops->drop(e);
  router_.Free(e);
  lifecycle_.Abandon(*inbox_.cells.Find(id.slot()), id, why);
}

void Loop::End() {
  if (std::exchange(ended_, true)) return;
  Loop* const outer = Enter();
  inbox_.SetEnded();
  stepped_work_.End();
  expiry_.End();
  Drop(std::exchange(taken_, nullptr));
  // Until there is no actor: an OnStop() may have spawned one. Such an actor
  // never starts, so it spawns no other.
  for (bool any = true; any;) {
    any = false;
    for (uint32_t slot = 0; slot < inbox_.cells.used(); ++slot) {
      inbox_.stats.cells_looked_at.Increment();
      Cell& cell = *inbox_.cells.Find(slot);
      // mutant: P10_AnActorSpawnedAtTheVeryEndIsForgotten
      if (cell.self) {
        any = true;
        lifecycle_.End(cell, /*queued=*/cell.actor_state.runnable());
      }
      // Other loops learn of these ends meanwhile, not only after the last one.
      if (slot % options_.messages_per_turn == 0) {
        // mutant: P10_OthersHearOfAnEndWhenItIsOver
        Drop(inbox_.handoff.Take());
        router_.Flush();
      }
    }
  }
  router_.Flush();
  Drop(inbox_.handoff.Close());
  lifecycle_.EndAwaited();
  for (Command& callback : std::exchange(idle_callbacks_, {})) callback(*this);
  while (Envelope* late = router_.replies().Pop()) router_.DropReply(late);
  router_.Flush();
  router_.ReturnRemote();
  inbox_.poller = nullptr;
  poller_.reset();
  Leave(outer);
}

}  // namespace trolley::internal
