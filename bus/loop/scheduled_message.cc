// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/scheduled_message.h"

#include <utility>

namespace trolley::internal {

uint64_t ScheduledMessage::Set(MessageRouter& router, TimerQueue& timers,
                               ActorBase& owner, Envelope* envelope,
                               Instant at) {
  static thread_local uint64_t last_id = 0;
  const uint64_t id = ++last_id;
  Set(router, timers, owner, envelope, at, id);
  return id;
}

void ScheduledMessage::Set(MessageRouter& router, TimerQueue& timers,
                           ActorBase& owner, Envelope* envelope, Instant at,
                           uint64_t id) {
  timers.Set(*new ScheduledMessage(router, owner, envelope, id), at);
}

ScheduledMessage* ScheduledMessage::First(ActorBase& owner) {
  return static_cast<ScheduledMessage*>(ActorAccess::timers(owner));
}

bool ScheduledMessage::Cancel(ActorBase& owner, uint64_t id) {
  for (ScheduledMessage* m = First(owner); m != nullptr; m = m->next_) {
    if (m->id_ != id) continue;
    delete m;
    return true;
  }
  return false;
}

void ScheduledMessage::CancelAll(ActorBase& owner) {
  while (ScheduledMessage* m = First(owner)) delete m;
}

ScheduledMessage::ScheduledMessage(MessageRouter& router, ActorBase& owner,
                                   Envelope* envelope, uint64_t id)
    : router_(router),
      owner_(owner),
      envelope_(envelope),
      id_(id),
      next_(First(owner)) {
  if (next_ != nullptr) next_->previous_ = this;
  ActorAccess::timers(owner) = this;
}

ScheduledMessage::~ScheduledMessage() {
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    ActorAccess::timers(owner_) = next_;
  }
  if (next_ != nullptr) next_->previous_ = previous_;
  if (envelope_ == nullptr) return;
  envelope_->ops->drop(envelope_);
  router_.Free(envelope_);
}

void ScheduledMessage::OnTimer() {
  router_.CountSend(true);
  router_.Send(std::exchange(envelope_, nullptr));
  delete this;
}

}  // namespace trolley::internal
