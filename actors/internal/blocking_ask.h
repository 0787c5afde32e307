// SPDX-License-Identifier: Apache-2.0
//
// BlockingAsk: an ask whose reply a plain thread waits for (Ref::AskAndWait).
//
// Ownership: reference counted: the thread has one reference, the envelope of
//            the ask another. So it is still there for a late reply.
// Threads:   Wait() and Take(): the asking thread. OnReply(): the loop that
//            replies.
// Ends:      with the last reference.

#ifndef TROLLEY_ACTORS_INTERNAL_BLOCKING_ASK_H_
#define TROLLEY_ACTORS_INTERNAL_BLOCKING_ASK_H_

#include <exception>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/actors/internal/payload_guard.h"
#include "trolley/bus/latch.h"
#include "trolley/bus/message/external_ask.h"

namespace trolley::internal {

template <typename Reply>
class BlockingAsk final : public ExternalAsk {
 public:
  // False: no reply has come within `timeout`, or the loop has replied that the
  // deadline had passed.
  bool Wait(absl::Duration timeout) {
    return there_.Wait(timeout) && !expired_;
  }
  // After Wait() was true: the reply. Throws what the reply threw when the loop
  // moved it.
  Reply Take() {
    if (thrown_ != nullptr) std::rethrow_exception(thrown_);
    return MoveOut(*reply_);
  }

  bool is_there() const { return there_.is_open(); }

  void OnReply(Envelope* e) override {
    expired_ = e->has(Envelope::kExpiredFirst);
    try {
      Put(e->payload<Reply>());
    } catch (...) {
      thrown_ = std::current_exception();
    }
    there_.Open();
    e->ops->drop(e);
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

  // The loop writes these before it opens `there_`, the thread reads them after
  // that.
  std::exception_ptr thrown_;
  std::optional<Reply> reply_;
  bool expired_ = false;
  Latch there_;
};

// Ref::AskAndWait. `ops` are those of M, `bytes` have room for M and the Reply.
template <typename Reply, typename M, typename... Args>
Reply AskFromThread(const Address& to, const MessageOps* ops, size_t bytes,
                    absl::Duration timeout, Args&&... args) {
  if (Loop::Current() != nullptr) {
    return absl::FailedPreconditionError(
        "AskAndWait would block a loop; co_await Ask() instead");
  }
  if (!to) return to.Explain(Delivery::kGone);
  BusState& bus = *to.bus();
  OutgoingMessage out(bus, nullptr, to.id());
  const Delivery taken = out.TakeRoomAndBuild<M>(
      ops, bytes, bus.clock().Now() + timeout, std::forward<Args>(args)...);
  if (taken != Delivery::kAccepted) return to.Explain(taken);
  auto waiting = RefPtr<BlockingAsk<Reply>>::Adopt(new BlockingAsk<Reply>);
  out.SetAsker(RefPtr<ExternalAsk>::Share(waiting.get()));
  const Delivery sent = out.Post();
  if (sent != Delivery::kAccepted) return to.Explain(sent);
  if (BusDriver* driver = bus.driver()) {
    driver->Drive([&] { return waiting->is_there(); }, timeout);
    timeout = absl::ZeroDuration();
  }
  if (waiting->Wait(timeout)) return waiting->Take();
  return bus.NoReplyWithin(to.id(), timeout);
}

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_INTERNAL_BLOCKING_ASK_H_
