// SPDX-License-Identifier: Apache-2.0
//
// Bench: runs each workload with every program that has it, one repetition of
// each after the other, and reports medians with their spread.
//
//   Bench bench;
//   bench.Add(kRing100, "trolley", [](double scale) { return ...; });
//   bench.Add(kRing100, "raw.deque", ...);     // the first raw one is the
//   bench.Add(kRing100, "caf-0.17", ...);      // measure; others are peers
//   return bench.Main(argc, argv);
//
// The distance of a cache line between CPU 0 and CPU 1 is measured around each
// repetition of a case that uses both. Each distance has its own figures.
// For benchmarks only.
//
// Ownership: main() owns it; it owns the cases.
// Threads:   main()'s, one. Each case starts and joins threads of its own.
// Bounds:    --reps repetitions of each case.
// Ends:      Main() returns, or Die() ends the program.

#ifndef TROLLEY_TESTS_BENCH_LIB_BENCH_H_
#define TROLLEY_TESTS_BENCH_LIB_BENCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace trolley::bench {

// What is measured, of each program.
struct Workload {
  std::string name;
  const char* unit;
  bool higher_is_better;
  bool two_cpus = false;     // a cache line's distance matters
  bool blocks = false;       // threads sleep: also measured where CPUs may halt
  bool own_process = false;  // needs a heap that was not used before
  bool has_p99 = false;
};

// What one repetition came to.
struct Figures {
  Figures(double value, double p99 = 0) : value(value), p99(p99) {}  // NOLINT
  double value;
  double p99;  // if the workload has one
};

// What is run. `scale` is 1, or less for a quick look; see Scaled().
using Run = std::function<Figures(double scale)>;

struct Case {
  Workload workload;
  std::string who;  // "trolley", "raw.<mechanism>", or a peer and its version
  Run run;

  bool is_raw() const { return who.rfind("raw.", 0) == 0; }
  bool is_trolley() const { return who == "trolley"; }
};

class Bench {
 public:
  void Add(const Workload& workload, std::string who, Run run);

  // Reads the command line, runs and reports. Returns the exit code.
  int Main(int argc, char** argv);

 private:
  std::vector<Case> cases_;
};

// For runs ------------------------------------------------------------------

// `full` times `scale`, but enough to mean something.
uint64_t Scaled(uint64_t full, double scale);

// Millions in a second.
double Millions(uint64_t count, int64_t nanoseconds);

// Median and 99th percentile of times.
Figures Percentiles(std::vector<double> times);

// Ends the program: a benchmark that counted wrong has no figures.
[[noreturn]] void Die(const std::string& what);

// What this process takes in memory now.
double ResidentBytes();

// Runs `run` on a thread of its own, pinned to CPU 0.
Figures OnCpu0(const std::function<Figures()>& run);

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_LIB_BENCH_H_
