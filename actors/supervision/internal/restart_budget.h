// SPDX-License-Identifier: Apache-2.0
//
// RestartBudget: how many restarts a supervisor may still make
// (SupervisorOptions::max_restarts).
//
//   RestartBudget budget(/*most=*/1, /*within=*/absl::Seconds(5));
//   if (!budget.Spend(now)) Escalate();
//
// Ownership: a value.
// Threads:   one.
// Bounds:    `most` times, 8 bytes each.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_INTERNAL_RESTART_BUDGET_H_
#define TROLLEY_ACTORS_SUPERVISION_INTERNAL_RESTART_BUDGET_H_

#include <cstdint>
#include <deque>

#include "absl/time/time.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class RestartBudget {
 public:
  // A restart counts until `within` after it.
  RestartBudget(uint32_t most, absl::Duration within)
      : most_(most), within_(within) {}

  // Counts a restart at `now`, which is never earlier than in the call before.
  // False: `most` count already, and this one is not counted.
  bool Spend(Instant now) {
    // mutant: P20_ARestartCountsLongerThanItsTime
    while (!spent_.empty() && now - spent_.front() >= within_) {
      spent_.pop_front();
    }
    // mutant: P20_TheBudgetAllowsOneMore
    if (spent_.size() >= most_) return false;
    spent_.push_back(now);
    return true;
  }

 private:
  const uint32_t most_;
  const absl::Duration within_;
  std::deque<Instant> spent_;  // the oldest first
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_SUPERVISION_INTERNAL_RESTART_BUDGET_H_
