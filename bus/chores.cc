// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/chores.h"

#include <utility>

#include "trolley/bus/loop.h"

namespace trolley {

bool Chores::Post(LoopPort& port, Chore chore) {
  return Loop::Post(port, [chore = std::move(chore)](Loop& loop) mutable {
    loop.chores().Add(std::move(chore));
  });
}

void Chores::Add(Chore chore) {
  if (ended_) return;
  chores_.push_back(std::move(chore));
  Run();
}

void Chores::Run() {
  const uint64_t turn = loop_.port().stats.turns.Read();
  if (!chores_.empty() && std::exchange(last_turn_, turn) != turn) {
    Chore chore = std::move(chores_.front());
    chores_.pop_front();
    if (chore(loop_) && !ended_) chores_.push_back(std::move(chore));
  }
  if (chores_.empty() || posted_) return;
  posted_ = Loop::Post(loop_.port(), [](Loop& loop) {
    loop.chores().posted_ = false;
    loop.chores().Run();
  });
}

void Chores::End() {
  ended_ = true;
  // What one does as it goes may come back to us.
  for (Chore& chore : std::exchange(chores_, {})) chore = nullptr;
}

}  // namespace trolley
