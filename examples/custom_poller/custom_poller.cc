// SPDX-License-Identifier: Apache-2.0
//
// A bus with two loops: one waits with a poller of this program's own, the
// other with one that comes with the bus. The actors cannot tell.

#include <cstdint>
#include <future>
#include <iostream>

#include "plain_poller.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

struct Deposit {
  int64_t cents;
};
struct GetBalance {};

class Account : public trolley::Actor {
 public:
  void On(const Deposit& m) { cents_ += m.cents; }
  int64_t On(const GetBalance&) { return cents_; }

 private:
  int64_t cents_ = 0;
};

int main() {
  auto bus = trolley::Bus::Create(
      {.loops = {{.factory = PlainPoller::Create}, {.poller = "poll"}}});
  if (!bus.ok()) {
    std::cerr << "custom_poller: " << bus.status() << "\n";
    return 1;
  }
  for (int loop = 0; loop < 2; ++loop) {
    auto account = (*bus)->Spawn<Account>({.loop = loop});
    for (int i = 0; i < 100; ++i) account->Tell(Deposit{i});
    const auto cents = account->AskAndWait(GetBalance{}, absl::Seconds(10));
    if (!cents.ok()) {
      std::cerr << "custom_poller: " << cents.status() << "\n";
      return 1;
    }
    std::cout << "loop " << loop << ": " << *cents << " cents\n";
  }
  std::promise<trolley::BusInfo> looked;
  (*bus)->Inspect([&](trolley::BusInfo info) { looked.set_value(info); });
  for (const trolley::LoopInfo& loop : looked.get_future().get().loops) {
    std::cout << "loop " << loop.index << " waits with " << loop.poller << "\n";
  }
  const trolley::ShutdownReport report = (*bus)->Shutdown(absl::Seconds(5));
  std::cout << report.ledger.ToString() << "\n";
  return report.clean && std::cout.flush() ? 0 : 1;
}
