// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bus/bus_fixture.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/poller/pollers.h"

namespace trolley {

std::vector<BusForm> BusForms() {
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
  }
  for (int loops = 1; loops <= 3; ++loops) forms.push_back({"sim", loops});
  return forms;
}

std::string BusFormName(const testing::TestParamInfo<BusForm>& info) {
  return absl::StrCat(info.param.poller, info.param.loops);
}

void LogLines::Add(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  lines_.emplace_back(line);
}

std::vector<std::string> LogLines::Get() const {
  absl::MutexLock lock(&mutex_);
  return lines_;
}

int LogLines::Count(std::vector<std::string> parts) const {
  const std::vector<std::string> lines = Get();
  return std::count_if(
      lines.begin(), lines.end(), [&](const std::string& line) {
        return std::all_of(parts.begin(), parts.end(), [&](const auto& part) {
          return absl::StrContains(line, part);
        });
      });
}

BusFixture::~BusFixture() { bus_.reset(); }

Bus& BusFixture::Start(const std::function<void(BusOptions&)>& adjust) {
  bus_.reset();
  BusOptions options;
  options.loops = std::vector<LoopOptions>(GetParam().loops);
  options.log = [this](absl::string_view line) { log_.Add(line); };
  if (simulated()) {
    world_.emplace(/*seed=*/1);
    options.single_threaded = true;
    options.sys = &world_->sys();
    options.clock = &world_->clock();
  }
  for (LoopOptions& loop : options.loops) {
    loop.poller = GetParam().poller;
    if (simulated()) {
      loop.factory = [this](Sys&, const Clock&) { return world_->NewPoller(); };
    }
  }
  if (adjust != nullptr) adjust(options);
  auto made = Bus::Create(std::move(options));
  EXPECT_TRUE(made.ok()) << made.status();
  bus_ = *std::move(made);
  return *bus_;
}

bool BusFixture::StepTime() {
  Instant next = Instant::Infinite();
  for (int i = 0; i < loops(); ++i) {
    next = std::min(next, bus_->loop(i).timers().next());
  }
  return world_->StepTime(next);
}

void BusFixture::AwaitThat(const std::function<bool()>& happened,
                           const std::function<void()>& block) {
  if (!simulated()) return block();
  for (;;) {
    bus_->RunUntilIdle();
    if (happened()) return;
    if (!StepTime()) {
      FAIL() << "nothing can happen any more, and it has not happened";
    }
  }
}

void BusFixture::Settle() {
  do {
    bus_->RunUntilIdle();
  } while (StepTime());
}

BusInfo BusFixture::Look() {
  struct Answer {
    BusInfo info;
    absl::Notification ready;
  };
  auto answer = std::make_shared<Answer>();
  bus_->Inspect([answer](BusInfo info) {
    answer->info = std::move(info);
    answer->ready.Notify();
  });
  if (simulated()) bus_->RunUntilIdle();
  answer->ready.WaitForNotification();
  return std::move(answer->info);
}

}  // namespace trolley
