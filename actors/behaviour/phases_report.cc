// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/phases_report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/behaviour/exit_codes.h"

namespace trolley {
namespace {

constexpr PhaseEnd kEnds[] = {PhaseEnd::kBefore, PhaseEnd::kInTime,
                              PhaseEnd::kStopped, PhaseEnd::kSurvived,
                              PhaseEnd::kNoTime};

// It threw after its phase had begun.
bool Failed(const PhaseActor& actor) {
  return actor.end != PhaseEnd::kBefore &&
         actor.reason.kind == ExitReason::Kind::kFailed;
}

// What the actor means for the exit code of the program.
int CodeOf(const PhaseActor& actor) {
  if (actor.end == PhaseEnd::kSurvived) return ExitCodes::kSurvived;
  // mutant: P8_AnActorThatThrewIsClean
  if (Failed(actor)) return ExitCodes::kFailed;
  return actor.end == PhaseEnd::kStopped || actor.end == PhaseEnd::kNoTime
             ? ExitCodes::kLate
             : ExitCodes::kClean;
}

std::string Describe(const PhaseActor& actor) {
  std::string text = absl::StrCat(actor.name, " (", PhaseEndName(actor.end));
  if (Failed(actor)) absl::StrAppend(&text, ", ", actor.reason.ToString());
  if (!actor.state.empty()) {
    if (actor.end == PhaseEnd::kSurvived) {
      absl::StrAppend(&text, ", ", actor.state);
    }
    absl::StrAppend(&text, ", depth ", actor.depth, ", handled ",
                    actor.handled);
  }
  return absl::StrCat(text, ")");
}

}  // namespace

absl::string_view PhaseEndName(PhaseEnd end) {
  switch (end) {
    case PhaseEnd::kBefore:
      return "had ended before";
    case PhaseEnd::kInTime:
      return "ended in time";
    case PhaseEnd::kStopped:
      return "stopped";
    case PhaseEnd::kSurvived:
      return "survived";
    case PhaseEnd::kNoTime:
      return "had no time";
  }
  return "";
}

bool PhaseReport::clean() const {
  return std::all_of(actors.begin(), actors.end(), [](const PhaseActor& actor) {
    return CodeOf(actor) == ExitCodes::kClean;
  });
}

size_t PhaseReport::Count(PhaseEnd end) const {
  return std::count_if(
      actors.begin(), actors.end(),
      [end](const PhaseActor& actor) { return actor.end == end; });
}

std::string PhaseReport::ToString() const {
  std::vector<std::string> counts, named;
  for (const PhaseEnd end : kEnds) {
    if (const size_t count = Count(end); count > 0) {
      counts.push_back(absl::StrCat(count, " ", PhaseEndName(end)));
    }
  }
  size_t unnamed = 0;
  for (const PhaseActor& actor : actors) {
    if (CodeOf(actor) == ExitCodes::kClean) continue;
    if (named.size() == kMostNamed) {
      ++unnamed;
    } else {
      named.push_back(Describe(actor));
    }
  }
  if (unnamed > 0) named.push_back(absl::StrCat(unnamed, " more"));
  std::string text =
      absl::StrCat("phase ", name, ": took ", absl::FormatDuration(took), "; ");
  if (actors.empty()) return absl::StrCat(text, "no actors");
  absl::StrAppend(&text, "of ", actors.size(), " actors ",
                  absl::StrJoin(counts, ", "));
  if (dead_lettered > 0) {
    absl::StrAppend(&text, "; dead letters ", dead_lettered);
  }
  if (!named.empty()) absl::StrAppend(&text, ": ", absl::StrJoin(named, ", "));
  return text;
}

int PhasesReport::ExitCode() const {
  int code = ExitCodeOf(bus);
  for (const PhaseReport& phase : phases) {
    for (const PhaseActor& actor : phase.actors) {
      code = std::max(code, CodeOf(actor));
    }
  }
  return code;
}

std::string PhasesReport::ToString() const {
  std::string text =
      absl::StrCat(clean() ? "clean" : "not clean", ", exit code ", ExitCode(),
                   ", took ", absl::FormatDuration(took));
  for (const PhaseReport& phase : phases) {
    absl::StrAppend(&text, "\n", phase.ToString());
  }
  return absl::StrCat(text, "\nbus: ", bus.ToString());
}

}  // namespace trolley
