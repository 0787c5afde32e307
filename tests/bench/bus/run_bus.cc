// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bench/bus/run_bus.h"

#include "trolley/tests/bench/lib/machine.h"

namespace trolley::bench {
namespace {

BusOptions OptionsFor(size_t loops, absl::Duration spin) {
  BusOptions options;
  options.loops.assign(loops, LoopOptions{.spin = spin});
  return options;
}

}  // namespace

RunBus::RunBus(std::vector<int> cpus, absl::Duration spin)
    : bus_(Bus::CreateOrDie(OptionsFor(cpus.size(), spin))) {
  for (size_t loop = 0; loop < cpus.size(); ++loop) {
    if (cpus[loop] == kAnywhere) continue;
    absl::Notification pinned;
    Loop::Post(bus_.state()->port(loop), [&, cpu = cpus[loop]](Loop&) {
      PinTo(cpu);
      pinned.Notify();
    });
    pinned.WaitForNotification();
  }
}

void RunBus::Finish(uint64_t messages) {
  const ShutdownReport report = bus_.Shutdown(absl::Seconds(60));
  if (!report.clean || !report.ledger.Balances() ||
      report.ledger.handled < messages || report.ledger.dead_lettered != 0) {
    Die("the bus did not end well: " + report.ToString());
  }
}

}  // namespace trolley::bench
