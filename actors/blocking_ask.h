// SPDX-License-Identifier: Apache-2.0
//
// BlockingAsk: how a plain thread waits for a reply.
//
// Ownership: reference counted, by the thread and by the ask's envelope, so a
//            reply that comes too late finds it still there.
// Threads:   Wait() by the asking thread, OnReply() by the replying loop.

#ifndef TROLLEY_ACTORS_BLOCKING_ASK_H_
#define TROLLEY_ACTORS_BLOCKING_ASK_H_

#include <exception>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/payload_owner.h"
#include "trolley/actors/posting.h"
#include "trolley/bus/external_ask.h"
#include "trolley/bus/latch.h"

namespace trolley::internal {

template <typename Reply>
class BlockingAsk final : public ExternalAsk {
 public:
  // False: none has come within `timeout`, or none that the handler made before
  // that.
  bool Wait(absl::Duration timeout) {
    return there_.Wait(timeout) && !expired_;
  }
  // The reply. Throws what the reply threw as the loop moved it.
  Reply Take() {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return MoveOut(*reply_);
  }

  void OnReply(Envelope* e) override {
    expired_ = e->has(Envelope::kExpiredFirst);
    try {
      Put(e->payload<Reply>());
    } catch (...) {
      thrown_ = std::current_exception();
    }
    there_.Open();
    e->type->drop(e);
  }

 private:
  void Put(absl::Status& reply) { reply_.emplace(std::move(reply)); }
  template <typename T>
  void Put(absl::StatusOr<T>& reply) {
    if (reply.ok()) {
      reply_.emplace(*std::move(reply));
    } else {
      reply_.emplace(std::move(reply).status());
    }
  }

  // The loop's until `there_` is open.
  std::exception_ptr thrown_;
  std::optional<Reply> reply_;
  bool expired_ = false;
  Latch there_;
};

// Ref::AskAndWait. `type` is that of M, `bytes` have room for M and the Reply.
template <typename Reply, typename M, typename... Args>
Reply AskFromThread(const Address& to, const MessageType* type, size_t bytes,
                    absl::Duration timeout, Args&&... args) {
  if (Loop::Current() != nullptr) {
    return absl::FailedPreconditionError(
        "AskAndWait would block a loop; co_await Ask() instead");
  }
  BusState* bus = to.bus();
  const Delivery place = Admit(bus, nullptr, to.id());
  if (place != Delivery::kAccepted) return to.Explain(place);
  const Instant deadline = bus->clock().Now() + timeout;
  Envelope* e =
      MakeOutside<M>(*bus, bytes, HeadOf(nullptr, to.id(), type, deadline),
                     std::forward<Args>(args)...);
  auto waiting = RefPtr<BlockingAsk<Reply>>::Adopt(new BlockingAsk<Reply>);
  e->marks |= Envelope::kAskedExternally;
  e->external = RefPtr<BlockingAsk<Reply>>(waiting).Leak();
  if (Post(*bus, nullptr, e) != Delivery::kAccepted) {
    RefPtr<ExternalAsk>::Adopt(e->external);
    e->type->drop(e);
    EnvelopePool::PutToHeap(e);
    return to.Explain(Delivery::kGone);
  }
  if (waiting->Wait(timeout)) return waiting->Take();
  return bus->NoReplyWithin(to.id(), timeout);
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BLOCKING_ASK_H_
