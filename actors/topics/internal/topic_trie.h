// SPDX-License-Identifier: Apache-2.0
//
// TopicTrie: which patterns match a name. A node stands for the tokens on the
// way to it, so patterns with a common beginning share nodes.
//
//   trie.Insert("orders.*", 7);
//   trie.Match("orders.new", &ids);   // ids is {7}
//
// A match visits one node for each token of the name, and twice as many for
// each '*' on the way that also has a node with the token itself. It visits no
// node for a pattern that does not match so far.
//
// Ownership: owns its nodes.
// Threads:   one at a time.
// Bounds:    a node for each different beginning of the patterns in it.
//            Patterns and names are valid, so recursion is at most
//            kMostTopicTokens deep.
// Ends:      Erase() removes the nodes that no pattern needs.

#ifndef TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_TRIE_H_
#define TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_TRIE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/topics/internal/topic_tokens.h"

namespace trolley::internal {

class TopicTrie {
 public:
  // Several ids may have the same pattern.
  void Insert(absl::string_view pattern, uint64_t id);
  // Does nothing if `id` was not inserted with `pattern`.
  void Erase(absl::string_view pattern, uint64_t id);

  // Appends the ids whose patterns match, in ascending order.
  void Match(absl::string_view name, std::vector<uint64_t>* ids) const;

  bool empty() const { return root_.empty(); }

 private:
  struct Node {
    // By token; "*" and ">" are tokens here.
    absl::flat_hash_map<std::string, std::unique_ptr<Node>> children;
    std::vector<uint64_t> ids;  // of the patterns that end here

    bool empty() const { return children.empty() && ids.empty(); }
    const Node* Child(absl::string_view token) const {
      const auto found = children.find(token);
      return found == children.end() ? nullptr : found->second.get();
    }
  };

  static void Erase(Node& node, TopicTokens rest, uint64_t id);
  static void Match(const Node& node, TopicTokens rest,
                    std::vector<uint64_t>* ids);

  Node root_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TOPICS_INTERNAL_TOPIC_TRIE_H_
