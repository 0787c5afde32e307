// SPDX-License-Identifier: Apache-2.0
//
// Topics: publish and subscribe. A publisher names a topic and no actor; each
// subscriber whose pattern matches the name gets the publication.
//
//   class Book : public trolley::Actor {
//    public:
//     explicit Book(trolley::Topics topics) : topics_(std::move(topics)) {}
//     void OnStart() {
//       orders_ = *topics_.Subscribe<Order>("orders.*", Self(this));
//     }
//     void On(const trolley::Published<Order>& m) { Add(m.name, m.value); }
//     void On(const trolley::Gap& gap) { Reload(gap.missed); }
//    private:
//     trolley::Topics topics_;
//     trolley::SubscriptionId orders_;
//   };
//
//   trolley::Topics topics;
//   bus.Spawn<Book>({.name = "book"}, topics);
//   topics.Publish<Order>("orders.eu", "tea", 3);   // Order("tea", 3), shared
//
// Names and patterns: topic_name.h. Messages: topic_messages.h. Limits and
// figures: topics_options.h.
//
// A slow subscriber does not slow others. If its mailbox refuses a publication,
// Topics counts it. Before the next publication that the mailbox takes comes a
// Gap with the exact count. If the mailbox takes the Gap and not the
// publication, that publication begins the next gap. After that, Topics offers
// nothing for a while, so that the mailbox can empty: during the next 1, 2, 4
// ... up to 1024 publications. Give a subscriber a mailbox of at least 2.
//
// Without a newer publication no Gap comes by itself: Topics has no thread, no
// actor and no timer. FlushGap() sends it. A subscriber that must know calls it
// from a TellAfter() message to itself.
//
// Order. The publications of one actor or of one plain thread on one name, or
// on several, reach a subscriber in their order. Those of different publishers
// come in any order, and two subscribers may see different ones;
// Published::sequence tells which is newer. The count of a Gap is exact. Where
// it stands is exact for the publisher whose publication comes next. It may
// come before an older publication of another publisher that is on its way.
//
// Two locks do this. That of the Topics is held to number a publication and to
// find its subscriptions, and never for a send. That of a subscription is held
// for the sends to its actor, which do not block. So a Gap and its publication
// go together.
//
// The type is part of a subscription. A subscription of another type gets
// nothing of a publication and no gap. It is counted: PublishReport::other_type
// and SubscriptionStats::other_type. SubscriptionStats::last_other_type names
// the topic and both types. The publication is no error, because the publisher
// does not know all patterns such as ">".
//
// Ownership: copies share one state, so an actor keeps a copy. It belongs to no
//            bus: its subscribers may be of several.
// Threads:   thread-safe. The destructor of a published value must not call
//            Topics.
// Bounds:    TopicsOptions.
// Ends:      with its last copy, or never: an ended bus leaves it without
//            subscriptions. A subscription ends by Unsubscribe(), or soon after
//            its actor.

#ifndef TROLLEY_ACTORS_TOPICS_TOPICS_H_
#define TROLLEY_ACTORS_TOPICS_TOPICS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/topics/internal/publication.h"
#include "trolley/actors/topics/internal/subscription.h"
#include "trolley/actors/topics/internal/topic_registry.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/topics/topic_name.h"
#include "trolley/actors/topics/topics_options.h"

namespace trolley {

namespace internal {

template <typename T>
class TopicSubscriberOf : public TopicSubscriber {
 public:
  using To = Ref<Protocol<Published<T>, Gap>>;
  explicit TopicSubscriberOf(To to) : to_(std::move(to)) {}

  const Address& address() const override { return to_.address(); }
  const TopicType* type() const override { return &kTopicType<T>; }
  Delivery Tell(const PublicationPtr& publication) const override {
    // mutant: P21_EachSubscriberGetsACopy
    return to_.template Tell<Published<T>>(
        std::static_pointer_cast<const PublicationOf<T>>(publication));
  }
  Delivery TellGap(SubscriptionId id, const std::string& pattern,
                   uint64_t missed) const override {
    return to_.template Tell<Gap>(id, pattern, missed);
  }

 private:
  const To to_;
};

}  // namespace internal

class Topics {
 public:
  Topics() : Topics(TopicsOptions{}) {}
  // InvalidArgument: an option is out of its range; the text names it.
  static absl::StatusOr<Topics> Create(const TopicsOptions& options) {
    if (absl::Status valid = ValidateTopicsOptions(options); !valid.ok()) {
      return valid;
    }
    return Topics(options);
  }

  // Builds one T from `args`, and sends it to each subscriber that matches. It
  // does not wait. What the constructor of the T throws reaches the caller:
  // nothing was published.
  //
  //   OK               also without a subscriber, or if mailboxes were full
  //   InvalidArgument  the name breaks a rule; the text says which
  template <typename T, typename... Args>
  absl::StatusOr<PublishReport> Publish(absl::string_view name,
                                        Args&&... args) const {
    static_assert(std::is_same_v<T, std::decay_t<T>>,
                  "the type of a publication is neither const, nor a "
                  "reference, nor an array");
    if (absl::Status valid = ValidateTopicName(name); !valid.ok()) return valid;
    return registry_->Publish(std::make_shared<internal::PublicationOf<T>>(
        name, std::forward<Args>(args)...));
  }

  // From now on `subscriber`, which handles Published<T> and Gap, gets the
  // publications of Ts on names that `pattern` matches. An actor with several
  // subscriptions gets a publication once for each that matches.
  //
  // With SubscribeOptions::replay, kept publications come first. Newer ones
  // come after them if the subscriber calls this itself, in OnStart() or in a
  // handler. If another actor calls it, newer ones may come in between.
  //
  //   InvalidArgument    the pattern breaks a rule, `replay` is larger than
  //                      TopicsOptions::kept_per_name, or the Ref is empty
  //   ResourceExhausted  TopicsOptions::max_subscriptions
  template <typename T, typename A>
  absl::StatusOr<SubscriptionId> Subscribe(
      absl::string_view pattern, const Ref<A>& subscriber,
      const SubscribeOptions& options = {}) const {
    return registry_->Subscribe(
        pattern, options,
        std::make_unique<internal::TopicSubscriberOf<T>>(subscriber));
  }

  // Ends a subscription. No publication is sent to it after this has returned.
  // Those on their way still come. Returns its last figures, such as a gap that
  // no Gap has told of. NotFound: it has ended before.
  absl::StatusOr<SubscriptionStats> Unsubscribe(SubscriptionId id) const {
    return registry_->Unsubscribe(id);
  }

  // Sends the Gap of a subscription that has missed publications, without a
  // newer publication.
  //
  //   OK                 sent, or nothing was missed
  //   ResourceExhausted  the mailbox refuses it; the count is kept
  //   NotFound           the subscription has ended
  absl::Status FlushGap(SubscriptionId id) const {
    return registry_->FlushGap(id);
  }
  // The same for all subscriptions. Returns how many gaps are still pending.
  uint32_t FlushGaps() const { return registry_->FlushGaps(); }

  // NotFound: the subscription has ended.
  absl::StatusOr<SubscriptionStats> Stats(SubscriptionId id) const {
    return registry_->Read(id);
  }
  TopicsStats Stats() const { return registry_->Read(); }

 private:
  explicit Topics(const TopicsOptions& options)
      : registry_(std::make_shared<internal::TopicRegistry>(options)) {}

  std::shared_ptr<internal::TopicRegistry> registry_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TOPICS_TOPICS_H_
