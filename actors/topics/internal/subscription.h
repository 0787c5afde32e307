// SPDX-License-Identifier: Apache-2.0
//
// TopicSubscription: one subscription. It tells the subscriber publications,
// counts those that the mailbox refuses, and tells of them in a Gap.
//
//   switch (subscription->Offer(publication)) ...
//
// With a gap pending, an offer makes two sends: the Gap, then the publication.
//
//   the mailbox takes   then
//   both                the gap is told; the publication is delivered
//   the Gap only        the gap is told; the publication begins the next gap
//   neither             the publication is counted into the pending gap
//
// The middle row has a danger. A mailbox that is always full but for one credit
// would get one Gap after the other, and no publication. So the subscription
// then makes a pause: it counts the next publications into the gap without a
// send, 1, 2, 4 and so on up to kLongestPause of them, until the mailbox has
// taken both. The mailbox empties in a pause.
//
// Ownership: shared by the registry and by the publishers that offer.
// Threads:   thread-safe: mutex(). A send is made under the mutex, so that no
//            other publication comes between a Gap and its publication from the
//            view of one publisher. A send does not block.
// Bounds:    a count, whatever the subscriber misses.
// Ends:      Close(); or its actor ends, and the registry drops it.

#ifndef TROLLEY_ACTORS_TOPICS_INTERNAL_SUBSCRIPTION_H_
#define TROLLEY_ACTORS_TOPICS_INTERNAL_SUBSCRIPTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/topics/internal/publication.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/topics/topics_options.h"
#include "trolley/bus/address.h"
#include "trolley/bus/delivery.h"

namespace trolley::internal {

// The typed way to the actor.
class TopicSubscriber {
 public:
  virtual ~TopicSubscriber() = default;
  virtual const Address& address() const = 0;
  virtual const TopicType* type() const = 0;
  // `publication` is of type().
  virtual Delivery Tell(const PublicationPtr& publication) const = 0;
  virtual Delivery TellGap(SubscriptionId id, const std::string& pattern,
                           uint64_t missed) const = 0;
};

enum class Offered { kDelivered, kMissed, kOtherType, kClosed };

class TopicSubscription {
 public:
  // Publications of the longest pause. 1024: a subscriber that is up to 500
  // times too slow has two free credits after it.
  static constexpr uint32_t kLongestPause = 1024;

  TopicSubscription(SubscriptionId id, absl::string_view pattern,
                    std::unique_ptr<const TopicSubscriber> subscriber)
      : id_(id), pattern_(pattern), subscriber_(std::move(subscriber)) {}

  SubscriptionId id() const { return id_; }
  const std::string& pattern() const { return pattern_; }
  const Address& address() const { return subscriber_->address(); }

  // Held by Subscribe() while it replays, so that newer ones come after.
  absl::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  Offered Offer(const PublicationPtr& publication) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    return OfferLocked(publication);
  }
  Offered OfferLocked(const PublicationPtr& publication)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Tells the pending gap, if there is one. False: it is still pending.
  bool Flush() ABSL_LOCKS_EXCLUDED(mutex_);

  SubscriptionStats Read() const ABSL_LOCKS_EXCLUDED(mutex_);

  // No send is made after it.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool TellGap() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Offered Miss() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Offered OfferAfterGap(const PublicationPtr& publication)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const SubscriptionId id_;
  const std::string pattern_;
  const std::unique_ptr<const TopicSubscriber> subscriber_;

  mutable absl::Mutex mutex_;
  SubscriptionStats stats_ ABSL_GUARDED_BY(mutex_);
  // The length of the last pause, and what is left of it.
  uint32_t pause_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t pause_left_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TOPICS_INTERNAL_SUBSCRIPTION_H_
