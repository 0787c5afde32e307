// SPDX-License-Identifier: Apache-2.0
//
// A call that fails once is tried again, behind a bulkhead.

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/patterns/bulkhead.h"
#include "trolley/actors/patterns/retry.h"

namespace {

struct Pay {};
struct Buy {};

class Bank : public trolley::Actor {
 public:
  absl::StatusOr<int> On(const Pay&) {
    if (++calls_ == 1) return absl::UnavailableError("busy");
    return calls_;
  }

 private:
  int calls_ = 0;
};

class Shop : public trolley::Actor {
 public:
  explicit Shop(trolley::Ref<Bank> bank) : bank_(std::move(bank)) {}
  trolley::Task<absl::StatusOr<int>> On(Buy) {
    const auto pay = [&] { return bank_.Ask(Pay{}, absl::Seconds(60)); };
    const auto one = [&] { return few_.Run(pay); };
    co_return co_await retry_.Run(one);
  }

 private:
  const trolley::Ref<Bank> bank_;
  trolley::Bulkhead few_{{}};
  trolley::Retry retry_{{.attempts = 3}};
};

}  // namespace

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto bank = bus.Spawn<Bank>({.name = "bank"});
  if (!bank.ok()) return 1;
  auto shop = bus.Spawn<Shop>({.name = "shop"}, *bank);
  if (!shop.ok()) return 2;
  auto bought = shop->AskAndWait(Buy{}, absl::Seconds(60));
  return bought.ok() && *bought == 2 ? 0 : 3;
}
