// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bench/bus/run_bus.h"

namespace trolley::bench {
namespace {

BusOptions OptionsFor(const std::vector<int>& cpus, absl::Duration spin) {
  BusOptions options;
  options.loops.clear();
  for (const int cpu : cpus) {
    LoopOptions& loop = options.loops.emplace_back();
    loop.spin = spin;
    if (cpu != RunBus::kAnywhere) loop.cpus = {cpu};
  }
  return options;
}

}  // namespace

RunBus::RunBus(std::vector<int> cpus, absl::Duration spin)
    : bus_(Bus::CreateOrDie(OptionsFor(cpus, spin))) {}

void RunBus::Finish(uint64_t messages) {
  const ShutdownReport report = bus_.Shutdown(absl::Seconds(60));
  if (!report.clean || !report.ledger.Balances() ||
      report.ledger.handled < messages || report.ledger.dead_lettered != 0) {
    Die("the bus did not end well: " + report.ToString());
  }
}

}  // namespace trolley::bench
