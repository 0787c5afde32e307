// SPDX-License-Identifier: Apache-2.0
//
// BlockingAsk: how a plain thread waits for a reply.
//
// Ownership: reference counted, by the thread and by the ask's envelope, so a
//            reply that comes too late finds it still there.
// Threads:   Wait() by the asking thread, OnReply() by the replying loop.

#ifndef TROLLEY_ACTORS_BLOCKING_ASK_H_
#define TROLLEY_ACTORS_BLOCKING_ASK_H_

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/bus/external_ask.h"

namespace trolley::internal {

template <typename Reply>
class BlockingAsk final : public ExternalAsk {
 public:
  // The reply; nothing if it has not come within `timeout`.
  std::optional<Reply> Wait(absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    const auto there = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return reply_.has_value();
    };
    mutex_.AwaitWithTimeout(absl::Condition(&there), timeout);
    return std::exchange(reply_, std::nullopt);
  }

  void OnReply(Envelope* e) override {
    {
      absl::MutexLock lock(&mutex_);
      reply_.emplace(std::move(e->payload<Reply>()));
    }
    e->type->drop(e);
  }

 private:
  absl::Mutex mutex_;
  std::optional<Reply> reply_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BLOCKING_ASK_H_
