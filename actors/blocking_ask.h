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

#include "absl/time/time.h"
#include "trolley/bus/external_ask.h"
#include "trolley/bus/latch.h"

namespace trolley::internal {

template <typename Reply>
class BlockingAsk final : public ExternalAsk {
 public:
  // The reply; nothing if it has not come within `timeout`.
  std::optional<Reply> Wait(absl::Duration timeout) {
    if (!there_.Wait(timeout)) return std::nullopt;
    return std::exchange(reply_, std::nullopt);
  }

  void OnReply(Envelope* e) override {
    reply_.emplace(std::move(e->payload<Reply>()));
    there_.Open();
    e->type->drop(e);
  }

 private:
  std::optional<Reply> reply_;  // the loop's until `there_` is open
  Latch there_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BLOCKING_ASK_H_
