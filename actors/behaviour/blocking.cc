// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/behaviour/blocking.h"

#include <cstdint>

namespace trolley {
absl::StatusOr<std::unique_ptr<BlockingPool>> BlockingPool::Create(
    Bus& bus, const BlockingPoolOptions& options) {
  absl::Status valid = ValidateBlockingPoolOptions(options);
  if (!valid.ok()) return valid;
  auto threads = std::make_shared<internal::BlockingThreads>(bus, options);
  if (absl::Status started = threads->Start(); !started.ok()) return started;
  // An actor suspends at most half as many asks as its mailbox has credits, and
  // its loop may hold an eighth of those in advance. So a function is refused
  // by the queue of the pool, which says why, and not by the mailbox.
  const uint32_t most =
      static_cast<uint32_t>(options.threads) + options.max_waiting;
  absl::StatusOr<Ref<internal::BlockingGate>> gate =
      bus.Spawn<internal::BlockingGate>({.name = options.name,
                                         .loop = options.loop,
                                         .mailbox_capacity = 4 * most + 1024},
                                        threads);
  if (!gate.ok()) return gate.status();
  return std::unique_ptr<BlockingPool>(
      new BlockingPool(std::move(threads), Blocking(*std::move(gate))));
}

BlockingPool::~BlockingPool() {
  blocking_.gate_.Stop();
  threads_->End();
}

}  // namespace trolley
