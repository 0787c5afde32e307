// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/requirements.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace trolley {

absl::Status CheckRequirements(const Requirements& needs,
                               const Capabilities& has) {
  std::vector<std::string> lacks;
  const auto check = [&lacks](bool needed, bool there, const char* name) {
    if (needed && !there) lacks.push_back(name);
  };
  check(needs.edge, has.edge, "edge");
  check(needs.oneshot, has.oneshot, "oneshot");
  check(needs.rdhup, has.rdhup, "rdhup");
  check(needs.any_fd, has.any_fd, "any_fd");
  check(needs.sub_ms, has.sub_ms, "sub_ms");
  check(needs.o1_wait, has.o1_wait, "o1_wait");
  check(needs.completion, has.completion, "completion");
  check(needs.fork_safe, has.fork_safe, "fork_safe");
  check(needs.virtual_time, has.virtual_time, "virtual_time");
  if (needs.highest_fd > has.max_fd) {
    lacks.push_back(absl::StrCat("descriptor numbers up to ", needs.highest_fd,
                                 " (max_fd ", has.max_fd, ")"));
  }
  if (needs.descriptors > has.max_descriptors) {
    lacks.push_back(absl::StrCat("room for ", needs.descriptors,
                                 " descriptors (max_descriptors ",
                                 has.max_descriptors, ")"));
  }
  if (lacks.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(absl::string_view(has.name.data(), has.name.size()),
                   " lacks: ", absl::StrJoin(lacks, ", ")));
}

}  // namespace trolley
