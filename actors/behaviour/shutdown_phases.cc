// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/shutdown_phases.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/behaviour/internal/phase_watch.h"
#include "trolley/bus/options.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct ShutdownPhases::Phase {
  std::string name;
  absl::Duration limit;
  std::function<void()> ask_to_end;  // null: Address::Stop(true)
  internal::PhaseWatch watch;
};

// Runs the phases, one after the other.
class ShutdownPhases::Runner {
 public:
  Runner(Bus& bus, const Wait& wait) : bus_(bus), wait_(wait) {}

  // `left`: the time that is left for all that is to come.
  PhaseReport Run(Phase& phase, absl::Duration left) {
    internal::PhaseWatch& watch = phase.watch;
    const Instant began = bus_.Now();
    const uint64_t dead_before = bus_.ReadLedger().dead_lettered;
    PhaseReport report;
    report.name = phase.name;
    watch.Mark(PhaseEnd::kBefore);
    // mutant: P10_APhaseWithoutTimeBegins
    if (left <= absl::ZeroDuration()) {
      report.actors = watch.Report(PhaseEnd::kNoTime);
      return report;
    }
    watch.Look();
    if (phase.ask_to_end != nullptr) {
      phase.ask_to_end();
    } else {
      // mutant: P10_APhaseStopsItsActorsAtOnce
      watch.Stop(/*drain=*/true);
    }
    // mutant: P10_APhaseHasNoLimit, P10_APhaseHasMoreTimeThanAllOfThem
    const bool in_time = Wait(watch, std::min(phase.limit, left));
    watch.Mark(PhaseEnd::kInTime);
    if (!in_time) {
      // The looks come first: a loop takes them before it stops the actors.
      watch.Look();
      // mutant: P10_APhaseThatIsLateStopsNoActor
      watch.Stop(/*drain=*/false);
      Wait(watch, kGrace);
      watch.Mark(PhaseEnd::kStopped);
    }
    report.actors = watch.Report(PhaseEnd::kSurvived);
    report.took = bus_.Now() - began;
    report.dead_lettered = bus_.ReadLedger().dead_lettered - dead_before;
    return report;
  }

 private:
  // True: all actors of the phase have ended.
  bool Wait(const internal::PhaseWatch& watch, absl::Duration within) {
    within = std::max(within, absl::ZeroDuration());
    if (wait_ != nullptr) {
      wait_([&] { return watch.all_ended(); }, within);
      return watch.all_ended();
    }
    if (BusAccess::core(bus_).state()->options().for_tests.single_threaded) {
      bus_.RunUntilIdle();
      return watch.all_ended();
    }
    return watch.ended().Wait(within);
  }

  Bus& bus_;
  const ShutdownPhases::Wait& wait_;
};

ShutdownPhases::ShutdownPhases(Bus& bus) : bus_(bus) {}

ShutdownPhases::~ShutdownPhases() = default;

absl::Status ShutdownPhases::Check(absl::string_view name,
                                   const std::vector<Address>& actors) {
  const std::string phase = absl::StrCat("the phase \"", name, "\"");
  if (begun_) {
    return absl::FailedPreconditionError(absl::StrCat(
        phase, " comes too late: ShutdownPhases::Run() has begun"));
  }
  for (const auto& other : phases_) {
    if (other->name != name) continue;
    return absl::AlreadyExistsError(
        absl::StrCat("there is a phase \"", name, "\" already"));
  }
  // mutant: P6_ThereIsNoLimitOfPhases
  if (phases_.size() == kMostPhases) {
    return absl::ResourceExhaustedError(
        absl::StrCat(phase, ": there are ShutdownPhases::kMostPhases, ",
                     kMostPhases, ", already"));
  }
  if (actors.size() > kMostActors - actors_.size()) {
    return absl::ResourceExhaustedError(absl::StrCat(
        phase, " has ", actors.size(), " actors and the others have ",
        actors_.size(), "; ShutdownPhases::kMostActors is ", kMostActors));
  }
  absl::flat_hash_set<Address> of_phase;
  for (size_t i = 0; i < actors.size(); ++i) {
    if (!actors[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("address ", i, " of ", phase, " names no actor"));
    }
    const std::string actor = actors[i].ToString();
    if (actors[i].bus() != BusAccess::core(bus_).state().get()) {
      return absl::InvalidArgumentError(absl::StrCat(
          actor, " of ", phase,
          " is an actor of another bus; each bus has its own ShutdownPhases"));
    }
    if (actors_.contains(actors[i]) || !of_phase.insert(actors[i]).second) {
      return absl::AlreadyExistsError(
          absl::StrCat(actor, " of ", phase, " is in a phase already"));
    }
  }
  return absl::OkStatus();
}

absl::Status ShutdownPhases::Add(absl::string_view name, absl::Duration limit,
                                 std::vector<Address> actors,
                                 std::function<void()> ask_to_end) {
  if (absl::Status valid = ValidateActorName(name); !valid.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name of a phase: ", valid.message()));
  }
  absl::MutexLock lock(&mutex_);
  if (absl::Status fits = Check(name, actors); !fits.ok()) return fits;
  actors_.insert(actors.begin(), actors.end());
  phases_.push_back(std::unique_ptr<Phase>(
      new Phase{.name = std::string(name),
                .limit = limit,
                .ask_to_end = std::move(ask_to_end),
                .watch = internal::PhaseWatch(bus_, std::move(actors))}));
  return absl::OkStatus();
}

const PhasesReport& ShutdownPhases::Run(absl::Duration deadline,
                                        const Wait& wait) {
  // mutant: P10_ASecondRunMakesAnotherReport
  if (report_.has_value()) return *report_;
  std::vector<std::unique_ptr<Phase>> phases;
  {
    absl::MutexLock lock(&mutex_);
    begun_ = true;
    phases = std::move(phases_);
  }
  // mutant: P10_PhasesRunInTheOrderOfTheStart
  std::reverse(phases.begin(), phases.end());
  const Instant began = bus_.Now();
  const Instant end = began + deadline;
  Runner runner(bus_, wait);
  PhasesReport report;
  for (const auto& phase : phases) {
    report.phases.push_back(runner.Run(*phase, end - bus_.Now()));
    const PhaseReport& ran = report.phases.back();
    if (!ran.clean()) bus_.Log(ran.ToString(), ran.name);
  }
  report.bus = bus_.Shutdown(std::max(end - bus_.Now(), absl::ZeroDuration()));
  for (size_t i = 0; i < phases.size(); ++i) {
    // mutant: P10_WhyASurvivorEndedIsNotSaid
    phases[i]->watch.AddReasons(report.phases[i].actors);
  }
  report.took = bus_.Now() - began;
  return report_.emplace(std::move(report));
}

}  // namespace trolley
