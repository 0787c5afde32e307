// SPDX-License-Identifier: Apache-2.0
//
// TopicTokens: the tokens of a name or of a pattern, one after the other. It
// also yields empty tokens, for the validation.
//
//   for (TopicTokens rest(name); !rest.empty();) Use(rest.Next());
//
// Ownership: refers to the text.
// Threads:   a value.
// Ends:      with the last token.

#ifndef TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_TOKENS_H_
#define TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_TOKENS_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace trolley::internal {

class TopicTokens {
 public:
  explicit TopicTokens(absl::string_view text) : rest_(text) {}

  bool empty() const { return ended_; }

  // Not if empty().
  absl::string_view Next() {
    const size_t dot = rest_.find('.');
    const absl::string_view token = rest_.substr(0, dot);
    if (dot == absl::string_view::npos) {
      ended_ = true;
    } else {
      rest_.remove_prefix(dot + 1);
    }
    return token;
  }

 private:
  absl::string_view rest_;
  bool ended_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_TOKENS_H_
