// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/topics/internal/topic_names.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "trolley/actors/topics/topic_name.h"

namespace trolley::internal {

TopicName& TopicNames::Touch(absl::string_view name, DroppedByTopics* dropped) {
  const auto found = index_.find(name);
  if (found != index_.end()) {
    names_.splice(names_.begin(), names_, found->second);
    return names_.front();
  }
  if (names_.size() >= max_names_) {
    TopicName& oldest = names_.back();
    std::move(oldest.kept.begin(), oldest.kept.end(),
              std::back_inserter(dropped->publications));
    dropped->routes.push_back(std::move(oldest.route));
    index_.erase(oldest.name);
    names_.pop_back();
    ++forgotten_;
  }
  names_.push_front({.name = std::string(name)});
  index_.emplace(names_.front().name, names_.begin());
  return names_.front();
}

void TopicNames::Keep(TopicName& name, const PublicationPtr& publication,
                      DroppedByTopics* dropped) {
  if (kept_per_name_ == 0) return;
  if (name.kept.size() >= kept_per_name_) {
    dropped->publications.push_back(std::move(name.kept.front()));
    name.kept.pop_front();
  }
  // mutant: P21_ANewerValueIsNotKept
  name.kept.push_back(publication);
}

std::vector<PublicationPtr> TopicNames::Kept(absl::string_view pattern,
                                             uint32_t most) const {
  std::vector<PublicationPtr> found;
  if (most == 0) return found;
  for (const TopicName& name : names_) {
    if (!TopicMatches(pattern, name.name)) continue;
    const size_t skipped =
        name.kept.size() - std::min<size_t>(name.kept.size(), most);
    found.insert(found.end(), name.kept.begin() + skipped, name.kept.end());
  }
  // mutant: P21_AReplayIsInNoOrder
  std::sort(found.begin(), found.end(),
            [](const PublicationPtr& a, const PublicationPtr& b) {
              return a->sequence < b->sequence;
            });
  return found;
}

void TopicNames::ForgetRoutes(DroppedByTopics* dropped) {
  for (TopicName& name : names_) {
    if (name.route != nullptr) {
      dropped->routes.push_back(std::move(name.route));
    }
  }
}

}  // namespace trolley::internal
