// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/internal/drawn_turns.h"

#include <algorithm>

namespace trolley::internal {

std::optional<uint32_t> DrawnTurns::Next(uint32_t loops) {
  if (!in_round_) {
    in_round_ = true;
    worked_.clear();
    turns_more_ = 0;
    for (uint32_t loop = 0; loop < loops; ++loop) {
      if (!Holds(loop)) waiting_.push_back(loop);
    }
  }
  if (waiting_.empty()) {
    in_round_ = false;
    return std::nullopt;
  }
  size_t choices = waiting_.size();
  if (turns_more_ < kMostTurnsMore) choices += worked_.size();
  const size_t index =
      draw_ != nullptr && choices > 1 ? draw_(choices) : size_t{0};
  if (index < waiting_.size()) {
    current_ = waiting_[index];
    waiting_.erase(waiting_.begin() + index);
  } else {
    current_ = worked_[index - waiting_.size()];
    ++turns_more_;
  }
  if (before_turn != nullptr) before_turn();
  return current_;
}

void DrawnTurns::Had(bool worked) {
  const auto at = std::find(worked_.begin(), worked_.end(), current_);
  if (worked && at == worked_.end()) worked_.push_back(current_);
  if (!worked && at != worked_.end()) worked_.erase(at);
  if (after_turn != nullptr) after_turn(current_);
}

bool DrawnTurns::Holds(uint32_t loop) const {
  return loop < held_until_.size() && clock_.Now() < held_until_[loop];
}

void DrawnTurns::Hold(uint32_t loop, Instant until) {
  if (held_until_.size() <= loop) held_until_.resize(loop + 1);
  held_until_[loop] = until;
}

Instant DrawnTurns::NextRelease() const {
  const Instant now = clock_.Now();
  Instant next = Instant::Infinite();
  for (const Instant until : held_until_) {
    if (until > now) next = std::min(next, until);
  }
  return next;
}

}  // namespace trolley::internal
