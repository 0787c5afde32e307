// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/expiry.h"

#include <algorithm>
#include <utility>

namespace trolley::internal {
namespace {

// When so many askers have stopped waiting, the next look does not wait for the
// pause.
constexpr size_t kMostGone = 64;

bool HasNoAsker(const Envelope& e, const absl::flat_hash_set<AskKey>& gone) {
  return !gone.empty() && e.is_ask() && gone.contains(AskKey::Of(e));
}

}  // namespace

void Expiry::Add(Cell& cell) {
  cell.expiry_watched = true;
  watched_.push_back(cell.self);
}

void Expiry::AddMailbox(Cell& cell) {
  Add(cell);
  const Instant soon = clock_.Now() + kPause;
  if (soon < next_) Arm(soon);
}

void Expiry::AskerHasGone(Cell& cell, const AskKey& key) {
  gone_.insert(key);
  if (!cell.expiry_watched) Add(cell);
  if (gone_.size() >= kMostGone) not_before_ = Instant();
  Arm(clock_.Now());
}

void Expiry::Arm(Instant at) {
  next_ = at;
  timers_.Set(*this, std::max(at, not_before_));
}

void Expiry::OnTimer() {
  const Instant began = clock_.Now();
  next_ = Instant::Infinite();
  // Nothing adds to gone_ meanwhile: AskerHasGone() is called in slices only.
  const Keys& gone = gone_;
  Instant soonest = Instant::Infinite();
  std::swap(watched_, looked_at_);
  for (const ActorId id : looked_at_) {
    Cell* cell = cells_.FindLive(id);
    if (cell == nullptr || cell->actor == nullptr) continue;
    cell->expiry_watched = false;
    const Instant next = Look(*cell, began, gone);
    if (next.is_infinite()) continue;
    if (!cell->expiry_watched) Add(*cell);
    soonest = std::min(soonest, next);
  }
  looked_at_.clear();
  gone_.clear();
  const Instant ended = clock_.Now();
  not_before_ = ended + std::max(kPause, (ended - began) * 50);
  if (soonest < next_) Arm(soonest);
}

Instant Expiry::Look(Cell& cell, Instant now, const Keys& gone) {
  Instant next = Instant::Infinite();
  // An actor that is not busy takes its next message soon, and then checks the
  // deadline. But only this look knows which askers have stopped waiting.
  if (cell.actor_state.busy() || !gone.empty()) {
    next = LookAtMailbox(cell, now, gone);
  }
  return std::min(next, LookAtHandlers(cell, now, gone));
}

Instant Expiry::LookAtHandlers(Cell& cell, Instant now, const Keys& gone) {
  Instant next = Instant::Infinite();
  SuspendedHandler* following;
  for (SuspendedHandler* h = cell.suspended; h != nullptr; h = following) {
    following = h->next;
    if (h->envelope == nullptr) continue;
    const Instant end = h->envelope->deadline + cell.actor_class->overtime;
    // mutant: P6_AnExpiredHandlerGoesOnWaiting
    if (end <= now || HasNoAsker(*h->envelope, gone)) {
      expirer_.CancelHandler(cell, *h);
    } else {
      next = std::min(next, end);
    }
  }
  return next;
}

Instant Expiry::LookAtMailbox(Cell& cell, Instant now, const Keys& gone) {
  Instant next = Instant::Infinite();
  EnvelopeQueue expired = cell.data.TakeIf([&](const Envelope& e) {
    // mutant: P6_WhatExpiresBehindAHandlerStays
    if (e.deadline <= now || HasNoAsker(e, gone)) return true;
    next = std::min(next, e.deadline);
    return false;
  });
  while (Envelope* e = expired.Pop()) {
    --cell.data_queued;
    expirer_.Expire(cell, e);
  }
  return next;
}

}  // namespace trolley::internal
