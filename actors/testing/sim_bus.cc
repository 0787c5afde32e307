// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/sim_bus.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "trolley/actors/testing/seeds.h"

namespace trolley::testing {
namespace {

// Small numbers let other actors and loops come between more often.
constexpr uint64_t kMostPerTurn = 32;
constexpr uint64_t kMostPerSlice = 16;

BusOptions OptionsOfBus(const SimBusOptions& options, SimWorld& world) {
  BusOptions made;
  made.loops.resize(std::max(options.loops, 0));
  for (LoopOptions& loop : made.loops) {
    loop.factory = [&world](Sys&, const Clock&) { return world.NewPoller(); };
    if (!options.vary_turns) continue;
    loop.messages_per_turn = 1 + world.random().Below(kMostPerTurn);
    loop.messages_per_slice = 1 + world.random().Below(kMostPerSlice);
  }
  // An id of 0 would become a random number.
  made.for_tests = {.sys = &world.sys(),
                    .clock = &world.clock(),
                    .instance_id = std::max<uint64_t>(world.seed(), 1),
                    .single_threaded = true};
  if (options.adjust != nullptr) options.adjust(made);
  return made;
}

}  // namespace

SimBus::SimBus(SimBusOptions options)
    : options_(std::move(options)),
      world_(options_.seed.has_value() ? *options_.seed : DefaultSeed()),
      bus_(Bus::CreateOrDie(OptionsOfBus(options_, world_))) {}

SimBus::~SimBus() { Finish(); }

void SimBus::RunUntilIdle() {
  if (!report_.has_value()) bus_.RunUntilIdle();
}

void SimBus::RunFor(absl::Duration length) {
  RunUntil([] { return false; }, length);
}

bool SimBus::RunUntil(const std::function<bool()>& done,
                      absl::Duration within) {
  const Instant end = Now() + std::max(within, absl::ZeroDuration());
  for (;;) {
    RunUntilIdle();
    if (done()) return true;
    if (report_.has_value() || Now() >= end) return false;
    if (!world_.StepTime(std::min(bus_.NextTimer(), end))) return false;
  }
}

const ShutdownReport& SimBus::Finish() {
  if (report_.has_value()) return *report_;
  bus_.RunUntilIdle();
  report_ = bus_.Shutdown(absl::Seconds(1));
  ExpectBalanced(report_->ledger, seed());
  if (CountFailures() > 0) {
    std::fprintf(stderr, "the bus had seed %" PRIu64 "; run it again by: %s\n",
                 seed(), ReplayLine(seed()).c_str());
  }
  return *report_;
}

void ExpectBalanced(const Ledger& ledger, uint64_t seed, Where where) {
  if (ledger.Balances()) return;
  ADD_FAILURE_AT(where.file, where.line)
      << "the ledger does not balance: " << ledger.ToString() << "; seed "
      << seed << "; run it again by: " << ReplayLine(seed);
}

}  // namespace trolley::testing
