// SPDX-License-Identifier: Apache-2.0
//
// RunTrace: what happened in a run, a line for each event, for people. A SimBus
// keeps one if SimBusOptions::trace_lines says so, and prints it when the test
// has failed. Explore() keeps one of the run that it prints.
//
//   SimBus sim({.loops = 2, .trace_lines = 100});
//   ...
//   sim.Note("the teller has its money");
//   std::cerr << sim.trace().ToString();
//
// It looks like this; times count from the beginning of the run:
//
//   0        spawn bank on loop 1
//   0        test: 2 accepted, 1 actor more
//   0        loop 1: bank starts
//   0        loop 1: bank handled Open
//   0        loop 1: bank waits in Withdraw of teller
//   0        loop 1: 1 handled, 1 accepted
//   250ms    log: teller (Teller) ends: its handler of Pay threw: no money
//   250ms    loop 0: teller failed at Pay
//   250ms    loop 0: teller ends
//   250ms    loop 0: 1 failed, 1 actor fewer
//
// A line begins with what has run: a loop in one of its turns, or the test. Of
// each message it says what became of it, and which actor sent it. A line with
// counts follows: those of the ledger (bus/ledger.h) and of the actors of the
// bus.
//
// Equal seeds give equal traces (P18).
//
// Ownership: a value.
// Threads:   one, that of the test.
// Bounds:    the last `most_lines` lines, each of at most kMostLineBytes bytes.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_TESTING_RUN_TRACE_H_
#define TROLLEY_ACTORS_TESTING_RUN_TRACE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace trolley::testing {

class RunTrace {
 public:
  static constexpr size_t kMostLineBytes = 256;

  // `most_lines`: a count; 0 keeps no line.
  explicit RunTrace(size_t most_lines) : most_lines_(most_lines) {}

  // Adds a line. `at`: virtual time since the beginning of the run.
  void Add(absl::Duration at, absl::string_view text);

  const std::deque<std::string>& lines() const { return lines_; }
  // How many lines came before those.
  uint64_t left_out() const { return added_ - lines_.size(); }
  // A hash of all lines, with those that are left out.
  uint64_t hash() const { return hash_; }

  // The lines, each with a line break.
  std::string ToString() const;

 private:
  const size_t most_lines_;
  std::deque<std::string> lines_;
  uint64_t added_ = 0;
  uint64_t hash_ = 0;
};

}  // namespace trolley::testing

#endif  // TROLLEY_ACTORS_TESTING_RUN_TRACE_H_
