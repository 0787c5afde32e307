// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/target_queues.h"

#include <cassert>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"

namespace trolley::internal {

TargetQueue* TargetQueues::Find(ActorContext context,
                                absl::string_view target) {
  last_ = nullptr;
  const auto known = queues_.find(target);
  if (known != queues_.end()) {
    TargetQueue& queue = known->second;
    if (!queue.stale || queue.running) return last_ = &queue;
    assert(queue.waiting.empty());
    queues_.erase(known);
  }
  absl::StatusOr<WireTarget> found = WireTarget::Find(context, target);
  if (!found.ok()) return nullptr;
  if (queues_.size() >= kMaxIdle) DropIdle();
  last_ = &queues_
               .try_emplace(std::string(target),
                            TargetQueue{.target = *std::move(found)})
               .first->second;
  return last_;
}

void TargetQueues::DropIdle() {
  for (auto queue = queues_.begin(); queue != queues_.end();) {
    const auto next = std::next(queue);
    if (!queue->second.running) {
      assert(queue->second.waiting.empty());
      queues_.erase(queue);
    }
    queue = next;
  }
}

void TargetQueues::Renew(ActorContext context, TargetQueue& queue) {
  if (!queue.stale) return;
  absl::StatusOr<WireTarget> found =
      WireTarget::Find(context, queue.target.name());
  if (!found.ok()) return;
  queue.target = *std::move(found);
  queue.stale = false;
}

}  // namespace trolley::internal
