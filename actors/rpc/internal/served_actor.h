// SPDX-License-Identifier: Apache-2.0
//
// ServedActor: what the calls of one ActorService share.
//
// Ownership: shared by the service and its calls. Borrows the bus.
// Threads:   immutable after construction, except `calls`, `streams` and
//            `slow_clients`, which are thread-safe.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_SERVED_ACTOR_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_SERVED_ACTOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trolley/actors/bus.h"
#include "trolley/actors/rpc/actor_service_options.h"
#include "trolley/actors/rpc/internal/served_method.h"
#include "trolley/actors/rpc/internal/slow_clients.h"

namespace trolley::internal {

// The calls that are open, up to a limit. Thread-safe.
class OpenCallCount {
 public:
  explicit OpenCallCount(uint32_t most) : most_(most) {}

  // False: the limit is reached.
  bool Enter() {
    // mutant: P6_AServiceHasNoLimitOfCalls
    if (open_.fetch_add(1) < most_) return true;
    Leave();
    return false;
  }
  void Leave() { open_.fetch_sub(1); }
  uint32_t open() const { return open_.load(); }

 private:
  const uint32_t most_;
  std::atomic<uint32_t> open_{0};
};

struct ServedActor {
  using Ptr = std::shared_ptr<ServedActor>;

  ServedActor(Bus& bus, absl::string_view actor,
              const ActorServiceOptions& options,
              std::vector<ServedMethod> methods)
      : bus(bus),
        actor(actor),
        options(options),
        methods(std::move(methods)),
        calls(options.max_calls),
        streams(options.max_streams),
        slow_clients(std::make_shared<SlowClients>(options.stream_patience)) {}

  // As OpenCallCount::Enter, for one that is a call and a stream.
  bool EnterStream() {
    if (!streams.Enter()) return false;
    if (calls.Enter()) return true;
    streams.Leave();
    return false;
  }
  void LeaveStream() {
    calls.Leave();
    streams.Leave();
  }

  Bus& bus;
  const std::string actor;
  const ActorServiceOptions options;
  const std::vector<ServedMethod> methods;
  OpenCallCount calls;
  OpenCallCount streams;  // of the calls
  const std::shared_ptr<SlowClients> slow_clients;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_SERVED_ACTOR_H_
