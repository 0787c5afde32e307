// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sim.h"

#include <algorithm>

#include "trolley/poller/sim/sim_poller.h"

namespace trolley {

// System calls and events draw from two separate random generators. So one
// fault more or less in a system call does not change the order of events.
SimWorld::SimWorld(uint64_t seed, const SimSysOptions& options)
    // mutant: P18_FaultsComeByTheAddress
    : seed_(seed), sys_(SimRandom::Mix(seed), options), random_(seed) {}

std::unique_ptr<Poller> SimWorld::NewPoller() {
  return std::make_unique<internal::SimPoller>(*this, ++pollers_made_);
}

void SimWorld::At(Instant at, std::function<void()> action) {
  if (at.is_infinite()) return;
  actions_.emplace(std::pair(at.nanos(), ++actions_made_), std::move(action));
}

bool SimWorld::StepTime(Instant limit) {
  if (!actions_.empty() && actions_.begin()->first.first <= limit.nanos()) {
    auto next = actions_.extract(actions_.begin());
    clock_.AdvanceTo(Instant::FromNanos(next.key().first));
    next.mapped()();
    return true;
  }
  if (limit.is_infinite()) return false;
  clock_.AdvanceTo(limit);
  return true;
}

bool SimWorld::Idle(Instant deadline) {
  if (idle_hook_ && idle_hook_()) return true;
  return StepTime(deadline);
}

void SimWorld::Trace(uint64_t poller, Token token, Ready ready) {
  for (const uint64_t word :
       {poller, token.Pack(), static_cast<uint64_t>(ready),
        static_cast<uint64_t>(clock_.Now().nanos())}) {
    trace_hash_ = SimRandom::Mix(trace_hash_ + word + 1);
  }
}

}  // namespace trolley
