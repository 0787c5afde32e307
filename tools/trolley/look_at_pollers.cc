// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/look_at_pollers.h"

#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tools/trolley/arguments.h"
#include "tools/trolley/wake_cost.h"
#include "trolley/poller/pollers.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

// The name of a capability and its fields.
struct Word {
  const char* name;
  bool Capabilities::*has;
  bool Requirements::*needs;  // null: it cannot be required
};
constexpr Word kWords[] = {
    {"edge", &Capabilities::edge, &Requirements::edge},
    {"oneshot", &Capabilities::oneshot, &Requirements::oneshot},
    {"rdhup", &Capabilities::rdhup, &Requirements::rdhup},
    {"any_fd", &Capabilities::any_fd, &Requirements::any_fd},
    {"sub_ms", &Capabilities::sub_ms, &Requirements::sub_ms},
    {"o1_wait", &Capabilities::o1_wait, &Requirements::o1_wait},
    {"completion", &Capabilities::completion, &Requirements::completion},
    {"thread_bound", &Capabilities::thread_bound, nullptr},
    {"fork_safe", &Capabilities::fork_safe, &Requirements::fork_safe},
    {"virtual_time", &Capabilities::virtual_time, &Requirements::virtual_time},
};

void Describe(const Capabilities& can, PollerReport::Poller& to) {
  for (const Word& word : kWords) {
    if (can.*word.has) to.add_capabilities(word.name);
  }
  if (can.max_fd != std::numeric_limits<int>::max()) to.set_max_fd(can.max_fd);
  if (can.max_descriptors != std::numeric_limits<size_t>::max()) {
    to.set_max_descriptors(static_cast<int64_t>(can.max_descriptors));
  }
}

}  // namespace

std::vector<std::string> CapabilityWords() {
  std::vector<std::string> words;
  for (const Word& word : kWords) {
    if (word.needs != nullptr) words.push_back(word.name);
  }
  return words;
}

absl::StatusOr<Requirements> ParseRequirements(absl::string_view words) {
  Requirements needs;
  for (const absl::string_view wanted :
       absl::StrSplit(words, ',', absl::SkipWhitespace())) {
    bool known = false;
    for (const Word& word : kWords) {
      if (word.needs != nullptr && wanted == word.name) {
        needs.*word.needs = known = true;
      }
    }
    if (known) continue;
    const std::vector<std::string> all = CapabilityWords();
    const std::string closest = Closest(wanted, all);
    return absl::InvalidArgumentError(absl::StrCat(
        "no capability is called ", Printable(wanted, 64),
        "; there are: ", absl::StrJoin(all, ", "),
        closest.empty() ? "" : absl::StrCat("; did you mean ", closest, "?")));
  }
  return needs;
}

PollerReport LookAtPollers(const Requirements& needs, Sys& sys,
                           const Clock& clock, absl::Duration measure) {
  PollerReport report;
  report.set_wake_method(kWakeMethod);
  for (const NamedPoller& poller : BuiltinPollers()) {
    PollerReport::Poller& about = *report.add_pollers();
    about.set_name(std::string(poller.name));
    absl::StatusOr<std::unique_ptr<Poller>> made = poller.create(sys, clock);
    about.set_available(made.ok());
    if (!made.ok()) {
      about.set_why_not(std::string(made.status().message()));
      continue;
    }
    Describe((*made)->capabilities(), about);
    made->reset();
    const absl::StatusOr<WakeCost> cost =
        MeasureWakeCost(poller.create, sys, clock, measure);
    if (cost.ok()) {
      about.set_wake_us(absl::ToDoubleMicroseconds(cost->median));
      about.set_least_wake_us(absl::ToDoubleMicroseconds(cost->least));
      about.set_wakes_measured(cost->wakes);
    } else {
      about.set_measuring_failed(std::string(cost.status().message()));
    }
  }

  PollerReport::Choice& choice = *report.mutable_auto_();
  const absl::StatusOr<PollerChoice> chosen = ChoosePoller(needs, sys, clock);
  if (chosen.ok()) {
    choice.set_takes(std::string(chosen->poller->capabilities().name));
    for (const PollerChoice::Refusal& refusal : chosen->refused) {
      PollerReport::Choice::Refusal& to = *choice.add_refused();
      to.set_name(refusal.name);
      to.set_why(std::string(refusal.why.message()));
    }
  } else {
    // ChoosePoller() returns all reasons in one text. Finds the reason of each
    // poller here.
    for (const NamedPoller& poller : BuiltinPollers()) {
      const auto made = poller.create(sys, clock);
      const absl::Status why =
          made.ok() ? CheckRequirements(needs, (*made)->capabilities())
                    : made.status();
      PollerReport::Choice::Refusal& to = *choice.add_refused();
      to.set_name(std::string(poller.name));
      to.set_why(std::string(why.message()));
    }
  }
  return report;
}

}  // namespace trolley::tools
