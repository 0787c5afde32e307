// SPDX-License-Identifier: Apache-2.0
//
// Two actors on two loops, from a workspace of your own: the program of
// README.md, which tests/tidy compares with what follows.

#include <cstdint>
#include <iostream>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

struct Deposit { int64_t cents; };
struct GetBalance {};

class Account : public trolley::Actor {
 public:
  void On(const Deposit& m) { cents_ += m.cents; }
  int64_t On(const GetBalance&) { return cents_; }  // the reply
 private:
  int64_t cents_ = 0;
};

int main() {
  auto bus = trolley::Bus::CreateOrDie({.loops = {{.poller = "epoll"}, {.poller = "auto"}}});
  auto account = bus.Spawn<Account>({.name = "accounts/alice", .loop = 1});
  account->Tell(Deposit{25});
  std::cout << *account->AskAndWait(GetBalance{}, absl::Seconds(1)) << " cents\n";
  std::cout << bus.Shutdown(absl::Seconds(5)).ledger.ToString() << "\n";
  return std::cout.flush() ? 0 : 1;
}
