// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bus/bus_form.h"

#include <cinttypes>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "trolley/poller/pollers.h"
#include "trolley/tests/poller/chaos_poller.h"

namespace trolley {
namespace {

std::string NameOf(const BusForm& form) {
  return absl::StrCat(form.chaos ? "chaos_" : "", form.poller, form.loops);
}

}  // namespace

std::vector<BusForm> ThreadedBusForms() {
  std::vector<BusForm> forms;
  for (const NamedPoller& poller : BuiltinPollers()) {
    const std::string name(poller.name);
    const auto made = poller.create(RealSys(), MonotonicClock());
    if (!made.ok()) {
      std::printf("without %s: %s\n", name.c_str(),
                  made.status().ToString().c_str());
      continue;
    }
    // The bus is the same over each; one has to show the rest.
    const bool default_one = name == LoopOptions().poller;
    for (int loops = default_one ? 1 : 2; loops <= (default_one ? 3 : 2);
         ++loops) {
      forms.push_back({name, loops});
    }
    // Two loops that spin, and give way, are too much for two processors.
    forms.push_back({name, name == "busy" ? 1 : 2, /*chaos=*/true});
  }
  return forms;
}

std::vector<BusForm> BusForms() {
  std::vector<BusForm> forms = ThreadedBusForms();
  for (int loops = 1; loops <= 3; ++loops) forms.push_back({"sim", loops});
  return forms;
}

std::string BusFormName(const testing::TestParamInfo<BusForm>& info) {
  return NameOf(info.param);
}

std::ostream& operator<<(std::ostream& out, const BusForm& form) {
  return out << NameOf(form);
}

std::vector<LoopOptions> LoopsOf(const BusForm& form, uint64_t chaos_seed) {
  LoopOptions loop;
  loop.poller = form.poller;
  if (form.chaos) {
    std::printf("chaos of seed %" PRIu64 "\n", chaos_seed);
    loop.factory = Chaos(
        [name = form.poller](Sys& sys, const Clock& clock) {
          return CreatePoller(name, sys, clock);
        },
        {.seed = chaos_seed});
  }
  return std::vector<LoopOptions>(form.loops, loop);
}

}  // namespace trolley
