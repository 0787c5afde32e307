// SPDX-License-Identifier: Apache-2.0
//
// TopicNames: what Topics remembers of each name: its last publications, and
// the subscriptions that match it (its route).
//
//   TopicName& name = names.Touch("orders.new", &dropped);
//   names.Keep(name, publication, &dropped);
//
// Ownership: owned by the registry. What it no longer needs goes to `dropped`:
//            the registry destroys that after it has released its lock, because
//            the destructor of a value is code of the user.
// Threads:   one at a time.
// Bounds:    TopicsOptions::max_names and kept_per_name. With a further name it
//            forgets the one that was touched the longest time ago.

#ifndef TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_NAMES_H_
#define TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/topics/internal/publication.h"
#include "trolley/actors/topics/internal/subscription.h"

namespace trolley::internal {

using TopicRoute = std::vector<std::shared_ptr<TopicSubscription>>;

struct TopicName {
  std::string name;
  std::deque<PublicationPtr> kept;          // the oldest first
  std::shared_ptr<const TopicRoute> route;  // null: not known
};

// To destroy without a lock.
struct DroppedByTopics {
  std::vector<PublicationPtr> publications;
  std::vector<std::shared_ptr<const TopicRoute>> routes;
};

class TopicNames {
 public:
  TopicNames(uint32_t max_names, uint32_t kept_per_name)
      : max_names_(max_names), kept_per_name_(kept_per_name) {}

  // The entry of `name`, new or not. It is valid until the next Touch().
  TopicName& Touch(absl::string_view name, DroppedByTopics* dropped);
  void Keep(TopicName& name, const PublicationPtr& publication,
            DroppedByTopics* dropped);

  // The last `most` publications of each name that matches, by their sequence.
  std::vector<PublicationPtr> Kept(absl::string_view pattern,
                                   uint32_t most) const;

  // Forgets the routes: a subscription came or went.
  void ForgetRoutes(DroppedByTopics* dropped);

  size_t size() const { return names_.size(); }
  uint64_t forgotten() const { return forgotten_; }

 private:
  const size_t max_names_;
  const size_t kept_per_name_;
  std::list<TopicName> names_;  // the last touched first
  // The keys refer to the names in the list.
  absl::flat_hash_map<absl::string_view, std::list<TopicName>::iterator> index_;
  uint64_t forgotten_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_NAMES_H_
