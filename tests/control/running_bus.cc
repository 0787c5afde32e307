// SPDX-License-Identifier: Apache-2.0

#include "tests/control/running_bus.h"

#include <stdlib.h>

#include <filesystem>
#include <utility>

#include "gtest/gtest.h"

namespace trolley::test {

SocketFolder::SocketFolder() : folder_("/tmp/trolley.XXXXXX") {
  if (mkdtemp(folder_.data()) == nullptr) abort();
}

SocketFolder::~SocketFolder() { std::filesystem::remove_all(folder_); }

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
  EXPECT_TRUE(report.survivors.empty()) << report.ToString();
  EXPECT_TRUE(report.ledger.Balances()) << report.ToString();
}

Ref<Counter> RunningBus::Spawn(const std::string& name, uint32_t capacity) {
  auto spawned =
      bus->Spawn<Counter>({.name = name, .mailbox_capacity = capacity});
  EXPECT_TRUE(spawned.ok()) << spawned.status();
  for (bool started = false; !started;) {
    const auto info = bus->Inspect(absl::Seconds(20));
    if (!info.ok()) abort();
    for (const ActorInfo& actor : info->actors) {
      started |= actor.name == name && actor.state == "running";
    }
  }
  return *spawned;
}

}  // namespace trolley::test
