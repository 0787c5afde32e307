// SPDX-License-Identifier: Apache-2.0
//
// The turn: what a loop does and in which order. What happens to actors within
// it is in loop_actors.cc.

#include "trolley/bus/loop.h"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/control_messages.h"

namespace trolley {

thread_local constinit Loop* Loop::current_ = nullptr;

Loop::Loop(BusState::Ptr bus, uint32_t index, std::unique_ptr<Poller> poller)
    : bus_(std::move(bus)),
      port_(bus_->port(index)),
      options_(bus_->options().loops[index]),
      clock_(bus_->clock()),
      poller_(std::move(poller)),
      descriptors_(*poller_),
      reply_slots_(options_.max_pending_asks),
      outboxes_(*bus_),
      envelopes_(*bus_, port_),
      leases_(*bus_),
      events_(options_.events_per_wait) {
  port_.poller = poller_.get();
  bus_->references().BeginApart();
}

Loop::~Loop() {
  End();
  bus_->references().EndApart(port_.references);
}

void Loop::Run() {
  current_ = this;
  // A peer that goes away is an EPIPE here, not the end of the process. For
  // what a handler starts there is bus/mains_signals.h.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  bus_->sys().Sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  while (!ended_) {
    if (RunOnce()) continue;
    if (!ended_ && !SpinForWork()) Sleep();
  }
  current_ = nullptr;
}

bool Loop::RunOnce() {
  Loop* const outer = std::exchange(current_, this);
  port_.stats.turns.Increment();
  bool worked = TakeHandedOver();
  if (!timers_.empty()) worked |= timers_.FireDue(Now());
  if (!replies_.empty() || !run_queue_.empty()) {
    HandleReplies();
    RunActors();
    worked = true;
  }
  FlushOutboxes();
  // A loop that is about to sleep polls when it does; one that never sleeps,
  // because the caller drives it, polls when it has nothing else to do.
  const bool due = worked ? ++turns_since_poll_ >= options_.turns_between_polls
                          : bus_->options().single_threaded;
  if (due && !ended_ && !descriptors_.empty()) {
    port_.stats.polls.Increment();
    worked |= Poll(Instant()) > 0;
  }
  current_ = outer;
  return worked || !run_queue_.empty() || !replies_.empty();
}

void Loop::HandleReplies() {
  for (uint32_t budget = options_.messages_per_turn; budget > 0; --budget) {
    Envelope* reply = replies_.Pop();
    if (reply == nullptr) return;
    PendingReply* pending = reply_slots_.Take(reply->ask_id());
    if (pending != nullptr) {
      pending->OnReply(reply);
    } else {
      port_.stats.late_replies.Increment();
      DropReply(reply);
    }
  }
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
  // A spin that has not paid 16 times running is tried only now and then.
  constexpr uint32_t kPatience = 16;
  if (options_.spin <= absl::ZeroDuration()) return false;
  if (failed_spins_ >= kPatience && ++failed_spins_ % kPatience != 0) {
    return false;
  }
  // The clock is not looked at before the first round: most spins that pay are
  // over by then.
  Instant until;
  do {
    for (int i = 0; i < 64; ++i) {
      if (port_.handoff.HasWork()) {
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

bool Loop::Settle() {
  // Nothing that another loop could use is taken into sleep.
  envelopes_.ReturnAll();
  leases_.ReturnAll();
  if (local_places_.ReturnSome(options_.messages_per_turn)) return true;
  if (idle_callbacks_.empty()) return false;
  for (Command& callback : std::exchange(idle_callbacks_, {})) callback(*this);
  return true;
}

void Loop::Sleep() {
  if (Settle()) return;
  if (!port_.handoff.Arm()) return;
  port_.stats.waits.Increment();
  Poll(timers_.next());
}

void Loop::FlushOutboxes() {
  outboxes_.Flush([this](Envelope* e) { DropUndelivered(e); });
}

bool Loop::Post(LoopPort& port, Command command) {
  Envelope* e = EnvelopePool::GetFromHeap(Envelope::BytesFor<Command>());
  ControlEnvelope(e, ActorId(), std::move(command));
  if (port.Deliver(e, e)) return true;
  e->type->drop(e);
  EnvelopePool::PutToHeap(e);
  return false;
}

void Loop::End() {
  if (std::exchange(ended_, true)) return;
  Loop* const outer = std::exchange(current_, this);
  chores_.End();
  // Again while there are any: OnStop may have spawned some. Those have not
  // started, so they spawn nobody.
  for (bool any = true; any;) {
    any = false;
    for (uint32_t slot = 0; slot < port_.cells.used(); ++slot) {
      port_.stats.cells_looked_at.Increment();
      Cell& cell = *port_.cells.Find(slot);
      if (cell.self) {
        any = true;
        EndActor(cell, /*queued=*/cell.standing.runnable());
      }
      // Others hear now and then that it ends, not when the last one has.
      if (slot % options_.messages_per_turn == 0) {
        DropChain(port_.handoff.Take());
        FlushOutboxes();
      }
    }
  }
  FlushOutboxes();
  DropChain(port_.handoff.Close());
  while (Envelope* late = replies_.Pop()) DropReply(late);
  FlushOutboxes();
  envelopes_.ReturnAll();
  leases_.ReturnAll();
  for (Command& callback : std::exchange(idle_callbacks_, {})) callback(*this);
  port_.poller = nullptr;
  poller_.reset();
  current_ = outer;
}

}  // namespace trolley
