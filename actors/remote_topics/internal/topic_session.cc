// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/remote_topics/internal/topic_session.h"

namespace trolley::internal {

using topics::v1::Batch;
using topics::v1::Next;

class TopicSessionBase::Question {
 public:
  explicit Question(TopicSessionBase& session) : session_(session) {
    ++session_.questions_;
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  ~Question() {
    --session_.questions_;
    session_.last_ = session_.context().Now();
  }

 private:
  TopicSessionBase& session_;
};

void TopicSessionBase::OnStart() {
  last_ = context().Now();
  if (options_.keep < absl::InfiniteDuration()) {
    TellAfter(this, options_.keep, LookForSubscriber{});
  }
}

void TopicSessionBase::OnDrain() {
  draining_ = true;
  changed_.Notify();
}

void TopicSessionBase::On(const LookForSubscriber&) {
  const absl::Duration idle =
      questions_ > 0 ? absl::ZeroDuration() : context().Now() - last_;
  if (idle >= options_.keep) return Stop();
  TellAfter(this, options_.keep - idle, LookForSubscriber{});
}

void TopicSessionBase::On(const Gap& gap) {
  entries_.Miss(gap.missed);
  changed_.Notify();
}

void TopicSessionBase::Add(const std::string& name, std::string value,
                           uint64_t sequence) {
  entries_.Add(name, std::move(value), sequence);
  changed_.Notify();
}

Task<absl::StatusOr<Batch>> TopicSessionBase::On(Next next) {
  const Question question(*this);
  entries_.Received(next.received());
  Batch batch;
  while (!entries_.Fill(next.max_bytes(), batch)) {
    if (draining_) co_return absl::UnavailableError("the process shuts down");
    // What the mailbox did not take comes as a Gap, also without a newer one.
    topics_.FlushGap(subscription_).IgnoreError();
    co_await changed_.Wait();
  }
  co_return batch;
}

}  // namespace trolley::internal
