// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/internal/topic_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/actors/topics/topic_name.h"

namespace trolley::internal {
namespace {

absl::Status NoSubscription(SubscriptionId id) {
  return absl::NotFoundError(absl::StrCat("there is no subscription ", id.value,
                                          ": it or its actor has ended"));
}

}  // namespace

TopicRegistry::~TopicRegistry() {
  for (const auto& [id, entry] : entries_) {
    entry.subscription->address().ForgetWhenEnded(entry.watch);
  }
}

PublishReport TopicRegistry::Publish(std::shared_ptr<Publication> publication) {
  DroppedByTopics dropped;  // destroyed after the lock is released
  std::shared_ptr<const TopicRoute> route;
  PublicationPtr shared;
  {
    absl::MutexLock lock(&mutex_);
    publication->sequence = ++last_sequence_;
    shared = std::move(publication);
    TopicName& name = names_.Touch(shared->name, &dropped);
    names_.Keep(name, shared, &dropped);
    route = RouteOf(name);
  }
  PublishReport report;
  for (const std::shared_ptr<TopicSubscription>& subscription : *route) {
    switch (subscription->Offer(shared)) {
      case Offered::kDelivered:
        ++report.matched;
        ++report.delivered;
        break;
      case Offered::kMissed:
        ++report.matched;
        // mutant: P21_AFullMailboxStopsAPublication
        ++report.missed;
        break;
      case Offered::kOtherType:
        ++report.other_type;
        break;
      case Offered::kClosed:
        break;
    }
  }
  return report;
}

std::shared_ptr<const TopicRoute> TopicRegistry::RouteOf(TopicName& name) {
  if (name.route != nullptr) return name.route;
  std::vector<uint64_t> ids;
  trie_.Match(name.name, &ids);
  auto route = std::make_shared<TopicRoute>();
  route->reserve(ids.size());
  for (const uint64_t id : ids) {
    route->push_back(entries_.find(id)->second.subscription);
  }
  name.route = std::move(route);
  return name.route;
}

absl::StatusOr<SubscriptionId> TopicRegistry::Subscribe(
    absl::string_view pattern, const SubscribeOptions& options,
    std::unique_ptr<const TopicSubscriber> subscriber) {
  if (absl::Status valid = ValidateTopicPattern(pattern); !valid.ok()) {
    return valid;
  }
  if (options.replay > options_.kept_per_name) {
    return absl::InvalidArgumentError(
        absl::StrCat("SubscribeOptions::replay is ", options.replay,
                     "; it is 0 to TopicsOptions::kept_per_name, which is ",
                     options_.kept_per_name));
  }
  const Address address = subscriber->address();
  if (!address) {
    return absl::InvalidArgumentError("the Ref of the subscriber is empty");
  }
  DroppedByTopics dropped;
  std::vector<PublicationPtr> kept;
  SubscriptionId id;
  {
    absl::MutexLock lock(&mutex_);
    id.value = ++last_id_;
  }
  auto subscription =
      std::make_shared<TopicSubscription>(id, pattern, std::move(subscriber));
  {
    absl::MutexLock replays(&subscription->mutex());
    {
      absl::MutexLock lock(&mutex_);
      // Looked at where it joins: others may subscribe at the same time.
      if (entries_.size() >= options_.max_subscriptions) {
        return absl::ResourceExhaustedError(absl::StrCat(
            "there are ", entries_.size(),
            " subscriptions, which is TopicsOptions::max_subscriptions"));
      }
      entries_.emplace(id.value, Entry{subscription, {}});
      trie_.Insert(pattern, id.value);
      // mutant: P21_ANewSubscriptionIsNotInAKnownRoute
      names_.ForgetRoutes(&dropped);
      kept = names_.Kept(pattern, options.replay);
    }
    for (const PublicationPtr& publication : kept) {
      subscription->OfferLocked(publication);
    }
  }
  // Without a lock: it calls the callback if the loop of the actor has ended.
  const EndWatch watch =
      address.WhenEnded([registry = weak_from_this(), id](const ActorEnd&) {
        // mutant: P21_ASubscriptionOutlivesItsActor
        if (const auto shared = registry.lock()) shared->Remove(id);
      });
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id.value);
  if (found != entries_.end()) found->second.watch = watch;
  return id;
}

TopicRegistry::Entry TopicRegistry::Remove(SubscriptionId id) {
  DroppedByTopics dropped;
  Entry entry;
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id.value);
  if (found == entries_.end()) return entry;
  entry = std::move(found->second);
  entries_.erase(found);
  trie_.Erase(entry.subscription->pattern(), id.value);
  names_.ForgetRoutes(&dropped);
  return entry;
}

absl::StatusOr<SubscriptionStats> TopicRegistry::Unsubscribe(
    SubscriptionId id) {
  const Entry entry = Remove(id);
  if (entry.subscription == nullptr) return NoSubscription(id);
  entry.subscription->Close();
  entry.subscription->address().ForgetWhenEnded(entry.watch);
  return entry.subscription->Read();
}

std::shared_ptr<TopicSubscription> TopicRegistry::Find(
    SubscriptionId id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = entries_.find(id.value);
  return found == entries_.end() ? nullptr : found->second.subscription;
}

absl::StatusOr<SubscriptionStats> TopicRegistry::Read(SubscriptionId id) const {
  const std::shared_ptr<TopicSubscription> found = Find(id);
  if (found == nullptr) return NoSubscription(id);
  return found->Read();
}

TopicsStats TopicRegistry::Read() const {
  absl::MutexLock lock(&mutex_);
  return {.publications = last_sequence_,
          .subscriptions = entries_.size(),
          .names = names_.size(),
          .names_forgotten = names_.forgotten()};
}

absl::Status TopicRegistry::FlushGap(SubscriptionId id) {
  const std::shared_ptr<TopicSubscription> found = Find(id);
  if (found == nullptr) return NoSubscription(id);
  if (found->Flush()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the mailbox of ", found->address().ToString(),
                   " did not take the gap; it is still counted"));
}

uint32_t TopicRegistry::FlushGaps() {
  TopicRoute all;
  {
    absl::MutexLock lock(&mutex_);
    all.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) all.push_back(entry.subscription);
  }
  uint32_t pending = 0;
  for (const auto& subscription : all) pending += subscription->Flush() ? 0 : 1;
  return pending;
}

}  // namespace trolley::internal
