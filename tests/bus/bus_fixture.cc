// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bus/bus_fixture.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "trolley/tests/bus/inside.h"
#include "trolley/tests/bus/run_options.h"

namespace trolley {

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
  options.loops =
      LoopsOf(GetParam(), GetRunOptions().seed.value_or(/*default_seed=*/1));
  options.log = [this](absl::string_view line) { log_.Add(line); };
  if (simulated()) {
    world_.emplace(/*seed=*/1);
    options.for_tests.single_threaded = true;
    options.for_tests.sys = &world_->sys();
    options.for_tests.clock = &world_->clock();
    for (LoopOptions& loop : options.loops) {
      loop.factory = [this](Sys&, const Clock&) { return world_->NewPoller(); };
    }
  }
  if (adjust != nullptr) adjust(options);
  auto made = Bus::Create(std::move(options));
  EXPECT_TRUE(made.ok()) << made.status();
  bus_ = *std::move(made);
  return *bus_;
}

LogLines& BusFixture::log() {
  if (bus_ != nullptr) StateOf(*bus_)->log().Flush(absl::InfiniteDuration());
  return log_;
}

bool BusFixture::StepTime() { return world_->StepTime(bus_->NextTimer()); }

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
