// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/supervision/child_spec.h"

#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace trolley {

SpawnOptions SpawnOptionsOf(const ChildOptions& options, std::string name) {
  return {.name = std::move(name),
          .loop = options.loop,
          .mailbox_capacity = options.mailbox_capacity,
          .urgent_reserve = options.urgent_reserve,
          .mailbox_bytes = options.mailbox_bytes,
          .overflow = options.overflow};
}

absl::Status ValidateChild(const ChildSpec& child) {
  const ChildOptions& options = child.options;
  if (absl::Status valid = ValidateActorName(options.name); !valid.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("ChildOptions::name: ", valid.message()));
  }
  if (absl::Status valid = ValidateMailbox(SpawnOptionsOf(options, ""));
      !valid.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("child \"", options.name, "\": ", valid.message()));
  }
  if (options.restart > Restart::kNever) {
    return absl::InvalidArgumentError(
        absl::StrCat("child \"", options.name, "\": ChildOptions::restart is ",
                     static_cast<int>(options.restart),
                     "; it is kAlways, kOnFailure or kNever"));
  }
  if (child.reserve == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("child \"", options.name,
                     "\" has no class; make its ChildSpec with Child<A>()"));
  }
  return absl::OkStatus();
}

absl::Status ValidateChildren(const std::vector<ChildSpec>& children) {
  absl::flat_hash_set<absl::string_view> names;
  for (const ChildSpec& child : children) {
    if (absl::Status valid = ValidateChild(child); !valid.ok()) return valid;
    if (!names.insert(child.options.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two children are named \"", child.options.name,
                       "\"; a name is unique among the children"));
    }
  }
  return absl::OkStatus();
}

}  // namespace trolley
