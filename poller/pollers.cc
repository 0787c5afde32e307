// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/pollers.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "trolley/poller/backend/busy_poller.h"
#include "trolley/poller/backend/epoll_poller.h"
#include "trolley/poller/backend/poll_poller.h"
#include "trolley/poller/backend/select_poller.h"
#include "trolley/poller/backend/sigio_poller.h"
#include "trolley/poller/printable.h"
#include "trolley/poller/uring/io_uring_poller.h"

namespace trolley {
namespace {

std::string ToString(std::string_view text) { return std::string(text); }

}  // namespace

std::vector<NamedPoller> BuiltinPollers() {
  return {
      {"epoll", internal::EpollPoller::Create},
      {"io_uring", internal::IoUringPoller::Create},
      {"poll", internal::PollPoller::Create},
      {"sigio", internal::SigioPoller::Create},
      {"select", internal::SelectPoller::Create},
      {"busy", internal::BusyPoller::Create},
  };
}

absl::StatusOr<std::unique_ptr<Poller>> CreatePoller(std::string_view name,
                                                     Sys& sys,
                                                     const Clock& clock) {
  std::vector<std::string> known;
  for (const NamedPoller& poller : BuiltinPollers()) {
    if (poller.name == name) return poller.create(sys, clock);
    known.push_back(ToString(poller.name));
  }
  return absl::NotFoundError(
      absl::StrCat("no poller is called \"", Printable(ToString(name)),
                   "\"; there are: ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<PollerChoice> ChoosePoller(const Requirements& needs, Sys& sys,
                                          const Clock& clock) {
  PollerChoice choice;
  std::string reasons;
  for (const NamedPoller& candidate : BuiltinPollers()) {
    absl::StatusOr<std::unique_ptr<Poller>> made = candidate.create(sys, clock);
    absl::Status why = made.status();
    if (why.ok()) why = CheckRequirements(needs, (*made)->capabilities());
    if (why.ok()) {
      choice.poller = *std::move(made);
      return choice;
    }
    absl::StrAppend(&reasons, reasons.empty() ? "" : "; ",
                    ToString(candidate.name), ": ", why.message());
    choice.refused.push_back({ToString(candidate.name), std::move(why)});
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no poller fits: ", reasons));
}

}  // namespace trolley
