// SPDX-License-Identifier: Apache-2.0
//
// The options of Topics and of a subscription, and the figures of both.
//
//   auto topics = trolley::Topics::Create({.kept_per_name = 10});
//   topics->Subscribe<Order>("orders.>", Self(this), {.replay = 10});
//
// Values; any thread. All numbers are counts.

#ifndef TROLLEY_ACTORS_TOPICS_TOPICS_OPTIONS_H_
#define TROLLEY_ACTORS_TOPICS_TOPICS_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace trolley {

struct TopicsOptions {
  static constexpr uint32_t kMostSubscriptions = 1u << 20;
  static constexpr uint32_t kMostNames = 1u << 20;
  static constexpr uint32_t kMostKeptPerName = 1024;

  // Subscriptions at one time, 1 to kMostSubscriptions. A further one is
  // ResourceExhausted. 4096: each costs about 500 bytes, and a publication that
  // all of them match makes as many sends.
  uint32_t max_subscriptions = 4096;
  // Names that Topics remembers, 1 to kMostNames. It remembers the kept
  // publications of a name, and which subscriptions match it: 16 bytes each. Of
  // more names, it forgets the one whose last publication is the oldest. A
  // publication on a forgotten name is delivered as any other. 1024: such as
  // one for each instrument or device of a small system. Subscribe and the end
  // of a subscription look at each remembered name.
  uint32_t max_names = 1024;
  // The last publications of each remembered name that Topics keeps for
  // SubscribeOptions::replay, 0 to kMostKeptPerName. Topics does not know the
  // size of a value. So the memory is at most this times max_names times the
  // largest value. 1: the last value, the most common use.
  uint32_t kept_per_name = 1;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateTopicsOptions(const TopicsOptions& options);

struct SubscribeOptions {
  // First come up to so many kept publications of each remembered name that the
  // pattern matches, the oldest first. 0 to TopicsOptions::kept_per_name. 1:
  // the last value of each name. 0: most subscribers want what comes.
  uint32_t replay = 0;
};

// What became of one publication. matched = delivered + missed
struct PublishReport {
  uint32_t matched = 0;     // subscriptions of that name and type
  uint32_t delivered = 0;   // their mailboxes took it
  uint32_t missed = 0;      // counted into their gaps
  uint32_t other_type = 0;  // subscriptions of that name and of another type
};

// One subscription. matched = delivered + in_gaps + pending_gap, at any time.
struct SubscriptionStats {
  uint64_t matched = 0;      // publications and replays of its type
  uint64_t delivered = 0;    // the mailbox took them
  uint64_t in_gaps = 0;      // the sum of Gap::missed that the mailbox took
  uint64_t pending_gap = 0;  // missed; no Gap has told of them yet
  uint64_t gaps = 0;         // Gap messages that the mailbox took
  // Publications on a matching name whose values were of another type. They are
  // neither delivered nor part of a gap.
  uint64_t other_type = 0;
  // The last of them, for people. Empty: there was none.
  std::string last_other_type;
};

// All of a Topics.
struct TopicsStats {
  uint64_t publications = 0;
  uint64_t subscriptions = 0;    // now
  uint64_t names = 0;            // remembered now
  uint64_t names_forgotten = 0;  // because of TopicsOptions::max_names
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TOPICS_TOPICS_OPTIONS_H_
