// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/topics.h"

#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/bus/latch.h"

namespace {

struct Order {
  int count = 0;
};

class Book : public trolley::Actor {
 public:
  Book(trolley::Topics topics, std::shared_ptr<trolley::Latch> filled)
      : topics_(std::move(topics)), filled_(std::move(filled)) {}
  void On(const trolley::Published<Order>& m) {
    if (m.value.count == 3) filled_->Open();
  }
  void On(const trolley::Gap&) {}

 protected:
  void OnStart() override {
    topics_.Subscribe<Order>("orders.*", Self(this), {.replay = 1})
        .IgnoreError();
  }

 private:
  trolley::Topics topics_;
  const std::shared_ptr<trolley::Latch> filled_;
};

}  // namespace

int main() {
  trolley::Topics topics;
  const auto filled = std::make_shared<trolley::Latch>();
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  topics.Publish<Order>("orders.eu", 3).IgnoreError();
  bus.Spawn<Book>({}, topics, filled).IgnoreError();
  return filled->Wait(absl::Seconds(60)) ? 0 : 1;
}
