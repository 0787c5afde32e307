// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/actor_guard.h"

#include <exception>
#include <string>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

// The text of the caught exception, made printable for a log and a Status: it
// may contain text from outside the process.
std::string WhatIsThrown() {
  try {
    throw;
  } catch (const std::exception& e) {
    // mutant: P8_AnAskerGetsTheTextAsItWasThrown
    return e.what() != nullptr ? Printable(e.what()) : "";
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace

void ActorGuard::HandlerThrew(Cell& cell, Envelope* e) {
  Fail(cell, e != nullptr ? absl::StrCat("its handler of ", e->ops->name())
                          : "its background task");
  if (e == nullptr || !e->is_ask()) return;
  e->ops->answer(e, absl::InternalError(bus_.DescribeEnd(cell.self)));
}

void ActorGuard::Fail(Cell& cell, absl::string_view doing) {
  // mutant: P8_TheAskerIsNotToldTheException
  const std::string what = absl::StrCat(doing, " threw: ", WhatIsThrown());
  // Before Stop(): senders that it refuses find the reason here.
  cell.set_exit(cell.self.generation(), ExitReason::Kind::kFailed);
  bus_.exit_records().Add(
      cell.self, cell.name != nullptr ? *cell.name : "",
      {.kind = ExitReason::Kind::kFailed, .error = absl::InternalError(what)});
  // mutant: P8_AnActorThatThrewGoesOn
  Stop(cell, /*drain=*/false);
  bus_.Log(absl::StrCat(NameOf(cell), " (", cell.actor_class->name(),
                        ") ends: ", what),
           cell.actor_class->name());
}

void ActorGuard::Stop(Cell& cell, bool drain) {
  if (cell.state() == Cell::State::kStopping || cell.vacant) return;
  // mutant: P8_WhatIsQueuedIsHandledAfterAThrow
  cell.actor_state.set_state(drain ? Cell::State::kDraining
                                   : Cell::State::kStopping);
  if (cell.seat) {  // its mailbox stays
    cell.UpdateKeptCredits();
    return router_.run_queue().Push(cell);
  }
  // It has no more credits to give, so that a sender cannot keep it alive.
  cell.local_credits = 0;
  cell.kept_credits = 0;
  // A send to an actor that drains is kFull; to one that stops, kGone.
  const uint32_t generation = cell.self.generation();
  cell.credits.Open(drain ? generation : generation + 1, 0);
  if (cell.waiting_senders != nullptr) router_.DeadLetterWaitingSenders(cell);
  router_.run_queue().Push(cell);
}

}  // namespace trolley::internal
