// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/watch.h"

#include <utility>

#include "trolley/actors/internal/outgoing_message.h"

namespace trolley {
namespace internal {

EndWatch BeginWatch(const Address& watcher, const MessageOps* ops,
                    const Address& watched,
                    std::shared_ptr<const Forgotten> forgotten) {
  return watched.WhenEnded(
      [watcher, ops, watched,
       forgotten = std::move(forgotten)](const ActorEnd& end) {
        if (!watcher || forgotten->load()) return;
        BusState& bus = *watcher.bus();
        OutgoingMessage out(bus, LoopOf(&bus), watcher.id());
        out.WithoutCredit();
        out.Build<DownMessage>(
            ops, Envelope::BytesFor<DownMessage>(), Instant::Infinite(),
            Down{watched, watched.ToString(), end.reason}, forgotten);
        // mutant: P9_ADownIsSentTwice
        (void)out.Post();
      });
}

}  // namespace internal

void Watch::Forget() {
  if (forgotten_ == nullptr) return;
  forgotten_->store(true);
  watched_.ForgetWhenEnded(watch_);
  forgotten_.reset();
  watched_ = Address();
}

}  // namespace trolley
