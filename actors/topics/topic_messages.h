// SPDX-License-Identifier: Apache-2.0
//
// What a subscriber gets: Published<T> for a publication, and Gap for those
// that it missed.
//
//   void On(const trolley::Published<Order>& m) { Book(m.name, m.value); }
//   void On(const trolley::Gap& gap) { missed_ += gap.missed; }
//
// Ownership: all subscribers of a publication share its name and its value.
//            Published<T> keeps both; a copy of it costs one atomic increment.
// Threads:   values. A T is const and is read by several threads at one time.
//            The destructor of a T runs on any of them, and must not call
//            Topics (actors/topics/topics.h).
// Bounds:    a message of 48 bytes in a mailbox, whatever the size of T.
// Ends:      with the last copy.

#ifndef TROLLEY_ACTORS_TOPICS_TOPIC_MESSAGES_H_
#define TROLLEY_ACTORS_TOPICS_TOPIC_MESSAGES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "trolley/actors/topics/internal/publication.h"

namespace trolley {

// Names a subscription of one Topics.
struct SubscriptionId {
  uint64_t value = 0;  // 0: none

  friend bool operator==(const SubscriptionId&,
                         const SubscriptionId&) = default;
};

template <typename T>
class Published {
 public:
  // Topics makes these.
  explicit Published(std::shared_ptr<const internal::PublicationOf<T>> shared)
      : name(shared->name),
        value(shared->value),
        sequence(shared->sequence),
        shared_(std::move(shared)) {}
  // For a bridge that has the value from another process. `sequence`: as it was
  // there.
  static Published Of(absl::string_view name, T value, uint64_t sequence) {
    auto made =
        std::make_shared<internal::PublicationOf<T>>(name, std::move(value));
    made->sequence = sequence;
    return Published(std::move(made));
  }
  // A moved-from Published is as good as before: a move copies.
  Published(const Published&) = default;
  Published& operator=(const Published&) = delete;

  const std::string& name;  // without wildcards
  const T& value;
  // Rises with each publication of this Topics. Of two publications on one name
  // by different publishers, the one with the larger number is the newer one.
  const uint64_t sequence;

 private:
  std::shared_ptr<const internal::PublicationOf<T>> shared_;
};

// The subscription missed publications because the mailbox was full.
struct Gap {
  // Of a TopicImport (actors/remote_topics/topic_import.h) only: the other
  // process has forgotten the subscription, so the count is not known.
  static constexpr uint64_t kUnknown = ~uint64_t{0};

  SubscriptionId subscription;  // of a TopicImport: none
  std::string pattern;          // of the subscription
  uint64_t missed = 0;          // since the gap before, or since the beginning
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TOPICS_TOPIC_MESSAGES_H_
