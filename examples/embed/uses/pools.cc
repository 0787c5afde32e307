// SPDX-License-Identifier: Apache-2.0
//
// A pool is asked as one of its workers.

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/pools/pool.h"
#include "trolley/actors/protocol.h"

namespace {

struct Square {
  int of = 0;
};

class Worker : public trolley::Actor {
 public:
  int On(const Square& m) { return m.of * m.of; }
};

}  // namespace

int main() {
  using Workers = trolley::Pool<Worker, trolley::WorkPulling>;
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto pool = bus.Spawn<Workers>({.name = "workers"},
                                 trolley::PoolOptions{.workers = 4});
  if (!pool.ok()) return 1;
  trolley::Ref<trolley::Protocol<int(Square)>> squares = *pool;
  for (int i = 0; i < 10; ++i) {
    auto reply = squares.AskAndWait(Square{.of = i}, absl::Seconds(60));
    if (!reply.ok() || *reply != i * i) return 2;
  }
  return 0;
}
