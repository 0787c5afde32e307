// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/expiry.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace trolley::internal {
namespace {

// If at least kMostGone askers have gone, and a look takes at most kEach for
// each of them, it does not wait for the pause.
constexpr size_t kMostGone = 64;
constexpr absl::Duration kEach = absl::Microseconds(1);

}  // namespace

void Expiry::Add(Cell& cell) {
  cell.expiry_watched = true;
  watched_.push_back(cell.self);
  // mutant: P6_ActorsThatHaveEndedStayWatched
  if (watched_.size() > cells_.in_use() + kSpare) Sweep();
}

// Looks at two entries and removes those of ended actors. Add() calls it for
// each entry. So when it has come round, watched_ has at most twice as many
// entries as there are actors.
void Expiry::Sweep() {
  for (int i = 0; i < 2; ++i) {
    if (swept_ >= watched_.size()) swept_ = 0;
    if (Find(watched_[swept_]) != nullptr) {
      ++swept_;
    } else {
      watched_[swept_] = watched_.back();
      watched_.pop_back();
    }
  }
}

Cell* Expiry::Find(ActorId id) const {
  Cell* cell = cells_.FindLive(id);
  return cell != nullptr && cell->actor != nullptr ? cell : nullptr;
}

void Expiry::AddMailbox(Cell& cell) {
  Add(cell);
  const Instant soon = clock_.Now() + kPause;
  if (soon < next_) Arm(soon);
}

void Expiry::AskerHasGone(Cell& cell, AskCancelled gone) {
  // mutant: P6_AnAskExpiresInThePlaceOfAnother
  gone_.push_back(std::move(gone));
  if (!cell.expiry_watched) Add(cell);
  Arm(std::min(clock_.Now(), next_));
}

void Expiry::Arm(Instant at) {
  next_ = at;
  if (looking_ || ended_) return;  // EndLook() sets the timer
  timers_.Set(*this, ManyHaveGone() ? at : std::max(at, not_before_));
}

bool Expiry::ManyHaveGone() const {
  return gone_.size() >= kMostGone && took_ <= gone_.size() * kEach;
}

void Expiry::OnTimer() {
  next_ = Instant::Infinite();
  looking_ = true;
  std::swap(watched_, looked_at_);
  std::swap(gone_, gone_before_);
  std::sort(gone_before_.begin(), gone_before_.end(),
            [](const AskCancelled& a, const AskCancelled& b) {
              return a.key < b.key;
            });
  soonest_ = Instant::Infinite();
  took_ = absl::ZeroDuration();
  if (looked_at_.size() > step_) {
    work_.Add([this] { return Step(); });
  } else {
    Step();
  }
}

// One step of the look. False: that was the last one.
bool Expiry::Step() {
  const Instant began = clock_.Now();
  // mutant: P7_ALookForWhatHasExpiredTakesOneTurn
  for (uint32_t left = step_; left > 0 && at_ < looked_at_.size(); --left) {
    Cell* const cell = Find(looked_at_[at_++]);
    if (cell == nullptr) continue;
    cell->expiry_watched = false;
    const Instant next = Look(*cell, began);
    soonest_ = std::min(soonest_, next);
    // The next look must come here, too, for an asker that has gone since this
    // look began.
    const bool done = next.is_infinite() && gone_.empty();
    if (!done && !cell->expiry_watched) Add(*cell);
  }
  const Instant now = clock_.Now();
  took_ += now - began;
  if (at_ < looked_at_.size()) return true;
  not_before_ = now + std::max(kPause, took_ * 50);
  EndLook();
  return false;
}

void Expiry::EndLook() {
  looking_ = false;
  looked_at_.clear();
  at_ = 0;
  gone_before_.clear();
  const Instant next = std::min(next_, soonest_);
  if (!next.is_infinite()) Arm(next);
}

bool Expiry::HasNoAsker(const Envelope& e) const {
  if (gone_before_.empty() || !e.is_ask()) return false;
  const AskKey key = AskKey::Of(e);
  const auto at = std::lower_bound(
      gone_before_.begin(), gone_before_.end(), key,
      [](const AskCancelled& a, const AskKey& b) { return a.key < b; });
  return at != gone_before_.end() && at->key == key;
}

Instant Expiry::Look(Cell& cell, Instant now) {
  Instant next = Instant::Infinite();
  // An actor that is not busy takes its next message soon, and then checks the
  // deadline. But only this look knows which askers have stopped waiting.
  if (cell.actor_state.busy() || !gone_before_.empty()) {
    next = LookAtMailbox(cell, now);
  }
  return std::min(next, LookAtHandlers(cell, now));
}

Instant Expiry::LookAtHandlers(Cell& cell, Instant now) {
  Instant next = Instant::Infinite();
  SuspendedHandler* following;
  for (SuspendedHandler* h = cell.suspended; h != nullptr; h = following) {
    following = h->next;
    if (h->envelope == nullptr) continue;
    Instant end = h->envelope->deadline + cell.actor_class->overtime;
    bool useless = end <= now || HasNoAsker(*h->envelope);
    if (h->listener != nullptr && (useless || h->listener->told())) {
      // mutant: P6_AHandlerIsNotTold
      if (!h->listener->told()) h->listener->OnCancel(now);
      end = h->listener->cancel_at();
      // mutant: P6_AToldHandlerGoesOnForEver
      useless = end <= now;
    }
    // mutant: P6_AnExpiredHandlerGoesOnWaiting
    if (useless) {
      expirer_.CancelHandler(cell, *h);
    } else {
      next = std::min(next, end);
    }
  }
  return next;
}

Instant Expiry::LookAtMailbox(Cell& cell, Instant now) {
  Instant next = Instant::Infinite();
  const auto is_useless = [&](const Envelope& e) {
    // mutant: P6_WhatExpiresBehindAHandlerStays
    if (e.deadline <= now || HasNoAsker(e)) return true;
    next = std::min(next, e.deadline);
    return false;
  };
  SmallEnvelopeQueue urgent = cell.lanes.urgent.TakeIf(is_useless);
  while (Envelope* e = urgent.Pop()) expirer_.Expire(cell, e);
  EnvelopeQueue expired = cell.data.TakeIf(is_useless);
  while (Envelope* e = expired.Pop()) {
    assert(cell.data_queued > 0);
    --cell.data_queued;
    expirer_.Expire(cell, e);
  }
  return next;
}

}  // namespace trolley::internal
