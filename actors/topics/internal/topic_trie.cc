// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/internal/topic_trie.h"

#include <algorithm>

namespace trolley::internal {

void TopicTrie::Insert(absl::string_view pattern, uint64_t id) {
  Node* node = &root_;
  for (TopicTokens rest(pattern); !rest.empty();) {
    std::unique_ptr<Node>& child = node->children[rest.Next()];
    if (child == nullptr) child = std::make_unique<Node>();
    node = child.get();
  }
  node->ids.push_back(id);
}

void TopicTrie::Erase(absl::string_view pattern, uint64_t id) {
  Erase(root_, TopicTokens(pattern), id);
}

void TopicTrie::Erase(Node& node, TopicTokens rest, uint64_t id) {
  if (rest.empty()) {
    const auto found = std::find(node.ids.begin(), node.ids.end(), id);
    if (found != node.ids.end()) node.ids.erase(found);
    return;
  }
  const auto child = node.children.find(rest.Next());
  if (child == node.children.end()) return;
  Erase(*child->second, rest, id);
  if (child->second->empty()) node.children.erase(child);
}

void TopicTrie::Match(absl::string_view name,
                      std::vector<uint64_t>* ids) const {
  const size_t before = ids->size();
  Match(root_, TopicTokens(name), ids);
  std::sort(ids->begin() + before, ids->end());
}

void TopicTrie::Match(const Node& node, TopicTokens rest,
                      std::vector<uint64_t>* ids) {
  if (rest.empty()) {
    // mutant: P21_ATailMatchesNothingToo
    ids->insert(ids->end(), node.ids.begin(), node.ids.end());
    return;
  }
  if (const Node* tail = node.Child(">")) {
    ids->insert(ids->end(), tail->ids.begin(), tail->ids.end());
  }
  const absl::string_view token = rest.Next();
  // mutant: P21_AStarMatchesNoToken
  if (const Node* any = node.Child("*")) Match(*any, rest, ids);
  if (const Node* same = node.Child(token)) Match(*same, rest, ids);
}

}  // namespace trolley::internal
