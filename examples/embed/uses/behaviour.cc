// SPDX-License-Identifier: Apache-2.0
//
// An actor does something at each tick, on another thread, and counts.

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/blocking.h"
#include "trolley/actors/behaviour/every.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/latch.h"

namespace {

struct Beat {};

class Counter : public trolley::Actor {
 public:
  Counter(trolley::Blocking blocking, std::shared_ptr<trolley::Latch> third)
      : blocking_(std::move(blocking)), third_(std::move(third)) {}
  trolley::Task<absl::Status> On(trolley::Tick<Beat>) {
    auto run = blocking_.Run([count = count_] { return count + 1; });
    absl::StatusOr<int> next = co_await run;
    if (!next.ok()) co_return next.status();
    count_ = *next;
    if (count_ == 3) third_->Open();
    co_return absl::OkStatus();
  }

 protected:
  void OnStart() override {
    beats_.Start(this, {.period = absl::Milliseconds(1)}).IgnoreError();
  }
  void OnDrain() override { beats_.Stop(); }

 private:
  trolley::Every<Beat> beats_;
  trolley::Blocking blocking_;
  const std::shared_ptr<trolley::Latch> third_;
  int count_ = 0;
};

}  // namespace

int main() {
  const auto third = std::make_shared<trolley::Latch>();
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto pool = trolley::BlockingPool::Create(bus, {.threads = 1});
  if (!pool.ok()) return 1;
  auto counter = bus.Spawn<Counter>({}, (*pool)->blocking(), third);
  if (!counter.ok()) return 2;
  return third->Wait(absl::Seconds(60)) ? 0 : 3;
}
