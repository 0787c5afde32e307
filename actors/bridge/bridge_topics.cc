// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/bridge_topics.h"

#include "absl/strings/str_join.h"
#include "trolley/poller/printable.h"

namespace trolley {

absl::StatusOr<const internal::BridgedType*> BridgeTopics::Find(
    const std::string& type) const {
  const auto found = table_->find(type);
  if (found != table_->end()) return found->second.get();
  const std::string carried = absl::StrJoin(
      *table_, ", ", [](std::string* to, const Table::value_type& entry) {
        absl::StrAppend(to, entry.first);
      });
  return absl::InvalidArgumentError(
      absl::StrCat("the topics of this bridge carry no ", Printable(type),
                   "; they carry ", carried.empty() ? "nothing" : carried));
}

}  // namespace trolley
