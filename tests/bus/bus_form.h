// SPDX-License-Identifier: Apache-2.0
//
// BusForm: one form of a bus: the number of loops, the poller, and whether the
// poller misbehaves (tests/poller/chaos_poller.h). For tests that hold for all
// forms.
//
//   class MyTest : public testing::TestWithParam<BusForm> { ... };
//   INSTANTIATE_TEST_SUITE_P(Forms, MyTest,
//                            testing::ValuesIn(ThreadedBusForms()),
//                            BusFormName);
//   ... Bus bus = Bus::CreateOrDie({.loops = LoopsOf(GetParam())});
//
// Values; any thread.

#ifndef TROLLEY_TESTS_BUS_BUS_FORM_H_
#define TROLLEY_TESTS_BUS_BUS_FORM_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "trolley/bus/options.h"

namespace trolley {

struct BusForm {
  std::string poller;  // "sim": on the test's thread, in virtual time
  int loops = 1;
  bool chaos = false;

  bool simulated() const { return poller == "sim"; }
};

// One to three loops over the default poller, two over each of the others, and
// over each with chaos (one over `busy`). Those whose poller this machine
// refuses are left out, with a line that says why.
std::vector<BusForm> ThreadedBusForms();

// Those, and one to three loops over the simulated poller.
std::vector<BusForm> BusForms();

// "chaos_poll2".
std::string BusFormName(const testing::TestParamInfo<BusForm>& info);
std::ostream& operator<<(std::ostream& out, const BusForm& form);

// The loops of a form with threads. Prints the seed of the chaos.
std::vector<LoopOptions> LoopsOf(const BusForm& form, uint64_t chaos_seed = 1);

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_BUS_FORM_H_
