// SPDX-License-Identifier: Apache-2.0

#include "tests/control/running_bus.h"

#include <stdlib.h>

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"
#include "trolley/tests/bus/ask_until.h"

namespace trolley::test {

BusOptions RunningBus::TwoLoops() {
  BusOptions options;
  options.loops = std::vector<LoopOptions>(2);
  return options;
}

RunningBus::RunningBus(ControlOptions options, BusOptions bus_options) {
  auto started = Bus::Create(std::move(bus_options));
  if (!started.ok()) abort();
  bus = *std::move(started);
  if (options.path.empty()) options.path = folder.path();
  auto served = ControlService::Start(*bus, options);
  EXPECT_TRUE(served.ok()) << served.status();
  if (!served.ok()) abort();
  control = *std::move(served);
}

RunningBus::~RunningBus() {
  control->Stop();
  const ShutdownReport report = bus->Shutdown(absl::Seconds(2));
  // A loop that is only slow is a survivor, too. It goes on by itself, and its
  // counts change meanwhile.
  if (report.survivors.empty()) {
    EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
  }
}

Ref<Counter> RunningBus::Spawn(const std::string& name, uint32_t capacity) {
  auto spawned =
      bus->Spawn<Counter>({.name = name, .mailbox_capacity = capacity});
  EXPECT_TRUE(spawned.ok()) << spawned.status();
  const auto is_running = [&name](const absl::StatusOr<BusInfo>& info) {
    return info.ok() && std::any_of(info->actors.begin(), info->actors.end(),
                                    [&name](const ActorInfo& actor) {
                                      return actor.name == name &&
                                             actor.state == "running";
                                    });
  };
  AskUntil([this] { return bus->Inspect(absl::Seconds(20)); }, is_running)
      .IgnoreError();
  return *spawned;
}

}  // namespace trolley::test
