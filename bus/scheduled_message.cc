// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/scheduled_message.h"

namespace trolley {

uint64_t ScheduledMessage::Set(Loop& loop, ActorBase& owner, Envelope* envelope,
                               Instant at) {
  const uint64_t id = loop.next_scheduled_id_++;
  Set(loop, owner, envelope, at, id);
  return id;
}

void ScheduledMessage::Set(Loop& loop, ActorBase& owner, Envelope* envelope,
                           Instant at, uint64_t id) {
  loop.timers().Set(*new ScheduledMessage(loop, owner, envelope, id), at);
}

bool ScheduledMessage::Cancel(ActorBase& owner, uint64_t id) {
  for (ScheduledMessage* m = owner.scheduled_; m != nullptr; m = m->next_) {
    if (m->id_ != id) continue;
    delete m;
    return true;
  }
  return false;
}

void ScheduledMessage::CancelAll(ActorBase& owner) {
  while (owner.scheduled_ != nullptr) delete owner.scheduled_;
}

ScheduledMessage::ScheduledMessage(Loop& loop, ActorBase& owner,
                                   Envelope* envelope, uint64_t id)
    : loop_(loop),
      owner_(owner),
      envelope_(envelope),
      id_(id),
      next_(owner.scheduled_) {
  if (next_ != nullptr) next_->previous_ = this;
  owner.scheduled_ = this;
}

ScheduledMessage::~ScheduledMessage() {
  (previous_ != nullptr ? previous_->next_ : owner_.scheduled_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  if (envelope_ == nullptr) return;
  envelope_->type->drop(envelope_);
  loop_.Free(envelope_);
}

void ScheduledMessage::OnTimer() {
  loop_.port().ledger.attempted.Increment();
  loop_.port().ledger.accepted.Increment();
  loop_.Send(std::exchange(envelope_, nullptr));
  delete this;
}

}  // namespace trolley
