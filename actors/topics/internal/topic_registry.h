// SPDX-License-Identifier: Apache-2.0
//
// TopicRegistry: the untyped part of Topics, which its copies share.
//
// A publication takes the lock of the registry to get its number and its route.
// It takes the lock of one subscription after the other to be offered. It never
// holds both, and holds none while it waits, because it never waits for a
// mailbox.
//
//   Subscribe takes the lock of the new subscription first, and then that of
//   the registry. No call takes them in the other order.
//
// Under the lock of the registry a new subscription joins and takes its copy of
// the kept publications. So each publication is in that copy, or has the
// subscription in its route, and never both.
//
// Ownership: shared by the copies of Topics. Callbacks of WhenEnded() hold it
//            weakly.
// Threads:   thread-safe.
// Bounds:    TopicsOptions.
// Ends:      with the last Topics. Then it takes back its callbacks.

#ifndef TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_REGISTRY_H_
#define TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_REGISTRY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/topics/internal/publication.h"
#include "trolley/actors/topics/internal/subscription.h"
#include "trolley/actors/topics/internal/topic_names.h"
#include "trolley/actors/topics/internal/topic_trie.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/topics/topics_options.h"
#include "trolley/bus/address.h"

namespace trolley::internal {

class TopicRegistry : public std::enable_shared_from_this<TopicRegistry> {
 public:
  explicit TopicRegistry(const TopicsOptions& options)
      : options_(options), names_(options.max_names, options.kept_per_name) {}
  TopicRegistry(const TopicRegistry&) = delete;
  TopicRegistry& operator=(const TopicRegistry&) = delete;
  ~TopicRegistry();

  PublishReport Publish(std::shared_ptr<Publication> publication);
  absl::StatusOr<SubscriptionId> Subscribe(
      absl::string_view pattern, const SubscribeOptions& options,
      std::unique_ptr<const TopicSubscriber> subscriber);
  absl::StatusOr<SubscriptionStats> Unsubscribe(SubscriptionId id);
  absl::StatusOr<SubscriptionStats> Read(SubscriptionId id) const;
  TopicsStats Read() const;
  absl::Status FlushGap(SubscriptionId id);
  uint32_t FlushGaps();

 private:
  struct Entry {
    std::shared_ptr<TopicSubscription> subscription;
    EndWatch watch;
  };

  std::shared_ptr<const TopicRoute> RouteOf(TopicName& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<TopicSubscription> Find(SubscriptionId id) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Null subscription: there was none.
  Entry Remove(SubscriptionId id) ABSL_LOCKS_EXCLUDED(mutex_);

  const TopicsOptions options_;

  mutable absl::Mutex mutex_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  TopicTrie trie_ ABSL_GUARDED_BY(mutex_);
  TopicNames names_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_REGISTRY_H_
