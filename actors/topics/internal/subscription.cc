// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/internal/subscription.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace trolley::internal {

Offered TopicSubscription::OfferLocked(const PublicationPtr& publication) {
  if (closed_) return Offered::kClosed;
  if (publication->type != subscriber_->type()) {
    ++stats_.other_type;
    stats_.last_other_type =
        absl::StrCat("the subscription \"", pattern_, "\" takes ",
                     subscriber_->type()->name(), "; a publication on \"",
                     publication->name, "\" is a ", publication->type->name());
    return Offered::kOtherType;
  }
  ++stats_.matched;
  if (stats_.pending_gap > 0) return OfferAfterGap(publication);
  if (subscriber_->Tell(publication) != Delivery::kAccepted) return Miss();
  ++stats_.delivered;
  return Offered::kDelivered;
}

Offered TopicSubscription::OfferAfterGap(const PublicationPtr& publication) {
  if (pause_left_ > 0) {
    --pause_left_;
    return Miss();
  }
  // mutant: P21_TheGapComesAfterThePublication
  if (!TellGap()) return Miss();
  if (subscriber_->Tell(publication) != Delivery::kAccepted) {
    pause_ = std::clamp<uint32_t>(2 * pause_, 1, kLongestPause);
    // mutant: P21_AfterAGapThereIsNoPause
    pause_left_ = pause_;
    // mutant: P21_WhatCameWithAGapIsForgotten
    return Miss();
  }
  pause_ = 0;
  ++stats_.delivered;
  return Offered::kDelivered;
}

Offered TopicSubscription::Miss() {
  // mutant: P21_AMissIsNotCounted
  ++stats_.pending_gap;
  return Offered::kMissed;
}

bool TopicSubscription::TellGap() {
  if (subscriber_->TellGap(id_, pattern_, stats_.pending_gap) !=
      Delivery::kAccepted) {
    return false;
  }
  ++stats_.gaps;
  stats_.in_gaps += stats_.pending_gap;
  stats_.pending_gap = 0;
  return true;
}

bool TopicSubscription::Flush() {
  absl::MutexLock lock(&mutex_);
  if (closed_ || stats_.pending_gap == 0) return true;
  if (!TellGap()) return false;
  pause_left_ = 0;
  return true;
}

SubscriptionStats TopicSubscription::Read() const {
  absl::MutexLock lock(&mutex_);
  return stats_;
}

void TopicSubscription::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

}  // namespace trolley::internal
