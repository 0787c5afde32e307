// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/testing/sim_bus.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "trolley/actors/testing/seeds.h"

namespace trolley::testing {
namespace {

// A turn and a slice have their defaults, or by halves down to one message.
// Small ones let other actors and loops come between more often.
constexpr uint64_t kTurnSizes = 8;
constexpr uint64_t kSliceSizes = 7;

// As BusOptions::loops says.
constexpr int kMostLoops = 255;

uint64_t SeedOf(const SimBusOptions& options) {
  if (options.seed.has_value()) return *options.seed;
  return options.choices != nullptr ? options.choices->seed() : DefaultSeed();
}

// A person who plays a seed again wants to see what happens.
size_t TraceLines(const SimBusOptions& options) {
  const bool replay = options.trace_lines == 0 && options.choices == nullptr &&
                      std::getenv("TROLLEY_SEED") != nullptr;
  return replay ? SimBusOptions::kReplayLines : options.trace_lines;
}

}  // namespace

SimBus::SimBus(SimBusOptions options)
    : options_(std::move(options)),
      failures_before_(CountFailures()),
      world_(SeedOf(options_)),
      sys_(world_.sys()),
      turn_random_(SimRandom::Mix(~world_.seed())),
      turns_(world_.clock(), DrawFunction()),
      own_trace_(TraceLines(options_)),
      trace_(options_.choices != nullptr && options_.choices->trace() != nullptr
                 ? options_.choices->trace()
                 : &own_trace_),
      bus_(Bus::CreateOrDie(OptionsOfBus())) {
  BusAccess::core(bus_).SetTurnOrder(&turns_);
  BusAccess::core(bus_).state()->SetDriver(this);
  if (!turn_trace_.has_value()) return;
  BusAccess::core(bus_).SetObserver(&*turn_trace_);
  turns_.before_turn = [this] { turn_trace_->NoteChanges(bus_, "test"); };
  turns_.after_turn = [this](uint32_t loop) {
    turn_trace_->NoteChanges(bus_, absl::StrCat("loop ", loop));
  };
}

SimBus::~SimBus() {
  Finish();
  BusAccess::core(bus_).state()->SetDriver(nullptr);
}

std::function<uint64_t(uint64_t)> SimBus::DrawFunction() {
  if (!options_.vary_turns) return nullptr;
  return [this](uint64_t bound) {
    return options_.choices != nullptr ? options_.choices->DrawTurn(bound)
                                       : turn_random_.Below(bound);
  };
}

BusOptions SimBus::OptionsOfBus() {
  BusOptions made;
  // One more than there can be is refused by its name.
  made.loops.resize(std::clamp(options_.loops, 0, kMostLoops + 1));
  const auto draw = DrawFunction();
  for (LoopOptions& loop : made.loops) {
    loop.factory = [this](Sys&, const Clock&) { return world_.NewPoller(); };
    if (draw == nullptr) continue;
    loop.messages_per_turn >>= draw(kTurnSizes);
    loop.messages_per_slice >>= draw(kSliceSizes);
  }
  // An id of 0 would become a random number.
  made.for_tests = {.sys = &sys_,
                    .clock = &world_.clock(),
                    .instance_id = std::max<uint64_t>(world_.seed(), 1),
                    .single_threaded = true};
  if (options_.adjust != nullptr) options_.adjust(made);
  if (trace_ != &own_trace_ || TraceLines(options_) > 0) {
    turn_trace_.emplace(world_.clock(), *trace_, [this](ActorId actor) {
      return BusAccess::core(bus_).state()->Describe(actor);
    });
    made.log = [this, log = std::move(made.log)](absl::string_view line) {
      Note(absl::StrCat("log: ", line));
      if (log != nullptr) log(line);
    };
  } else if (options_.choices != nullptr && made.log == nullptr) {
    made.log = [](absl::string_view) {};
  }
  return made;
}

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
    const Instant next =
        std::min({bus_.NextTimer(), turns_.NextRelease(), end});
    if (!world_.StepTime(next)) return false;
  }
}

void SimBus::HoldLoop(int loop, absl::Duration length) {
  if (loop < 0 || loop >= bus_.loops()) {
    ADD_FAILURE() << "SimBus::HoldLoop: there is no loop " << loop
                  << "; the bus has the loops 0 to " << bus_.loops() - 1;
    return;
  }
  Note(absl::StrCat("hold loop ", loop, " for ", absl::FormatDuration(length)));
  turns_.Hold(loop, Now() + std::max(length, absl::ZeroDuration()));
}

void SimBus::Note(absl::string_view text) {
  if (turn_trace_.has_value()) turn_trace_->Note(text);
}

void SimBus::NoteSpawn(const Address& actor) {
  if (!turn_trace_.has_value()) return;
  Note(
      absl::StrCat("spawn ", actor.ToString(), " on loop ", actor.id().loop()));
}

const ShutdownReport& SimBus::Finish() {
  if (report_.has_value()) return *report_;
  turns_.ReleaseAll();
  bus_.RunUntilIdle();
  report_ = bus_.Shutdown(absl::Seconds(1));
  ExpectBalanced(report_->ledger, seed());
  if (CountFailures() > failures_before_) {
    std::fprintf(stderr, "the bus had seed %" PRIu64 "; run it again by: %s\n",
                 seed(), ReplayLine(seed()).c_str());
    std::fputs(own_trace_.ToString().c_str(), stderr);
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
