// SPDX-License-Identifier: Apache-2.0
//
// The names of topics, and the patterns of subscriptions. Both are tokens with
// a '.' between them, as in NATS:
//
//   orders.eu.new   a name
//   orders.*.new    a pattern: '*' stands for one token
//   orders.>        a pattern: '>' stands for one or more tokens, and is last
//
// A name is also a pattern, which matches that name only.
//
//   if (TopicMatches("orders.*.new", "orders.eu.new")) ...
//
// A token is one or more printable ASCII characters without '.', '*', '>' and
// the space: a name is written to logs and to terminals.
//
// Functions without state; any thread.
// Bounds: kMostTopicBytes and kMostTopicTokens.

#ifndef TROLLEY_ACTORS_TOPICS_TOPIC_NAME_H_
#define TROLLEY_ACTORS_TOPICS_TOPIC_NAME_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace trolley {

// Bytes of a name or of a pattern. 128: as the name of an actor
// (SpawnOptions::kMostNameBytes).
inline constexpr size_t kMostTopicBytes = 128;
// Tokens of a name or of a pattern. 16: as NATS recommends. A publication
// visits at most 2^16 nodes of the patterns with '*'.
inline constexpr size_t kMostTopicTokens = 16;

// OK, or InvalidArgument: the text has the name and the rule that it breaks.
absl::Status ValidateTopicName(absl::string_view name);
absl::Status ValidateTopicPattern(absl::string_view pattern);

// True: the pattern matches the name. Both must be valid.
bool TopicMatches(absl::string_view pattern, absl::string_view name);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TOPICS_TOPIC_NAME_H_
