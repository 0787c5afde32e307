// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sim/sim_poller.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trolley/poller/registrations.h"

namespace trolley::internal {

SimPoller::SimPoller(SimWorld& world, uint64_t id)
    : world_(world),
      id_(id),
      capabilities_({.name = "sim",
                     .edge = true,
                     .oneshot = true,
                     .rdhup = true,
                     .sub_ms = true,
                     .virtual_time = true}) {}

absl::Status SimPoller::Add(int fd, Token token, Interest interest) {
  if (entries_.contains(fd)) return AlreadyRegistered(fd);
  absl::Status allowed =
      CheckAdd(capabilities_, entries_.size(), fd, token, interest);
  if (!allowed.ok()) return allowed;
  const uint64_t file_id = world_.sys().FileId(fd);
  if (file_id == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("fd ", fd, " is not open in this simulated world"));
  }
  entries_[fd] = {.token = token, .interest = interest, .file_id = file_id};
  return absl::OkStatus();
}

absl::Status SimPoller::Modify(int fd, Token token, Interest interest) {
  Entry* const entry = Find(fd, token);
  if (entry == nullptr) return NotRegistered(fd);
  absl::Status allowed = CheckTrigger(capabilities_, interest);
  if (!allowed.ok()) return allowed;
  const uint64_t file_id = world_.sys().FileId(fd);
  if (file_id == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("fd ", fd, " is no longer open"));
  }
  *entry = {.token = token, .interest = interest, .file_id = file_id};
  return absl::OkStatus();
}

absl::Status SimPoller::Remove(int fd, Token token) {
  if (Find(fd, token) == nullptr) return NotRegistered(fd);
  entries_.erase(fd);
  return absl::OkStatus();
}

SimPoller::Entry* SimPoller::Find(int fd, Token token) {
  const auto it = entries_.find(fd);
  return it != entries_.end() && it->second.token == token ? &it->second
                                                           : nullptr;
}

Ready SimPoller::ReadyNow(int fd, const Entry& entry) const {
  const Ready wanted =
      entry.interest.ready & (Ready::kReadable | Ready::kWritable);
  if (!Any(wanted) || !entry.armed) return Ready::kNone;
  SimSys& sys = world_.sys();
  // The descriptor was closed without Remove, and maybe opened again: the file
  // is gone.
  if (sys.FileId(fd) != entry.file_id) return Ready::kNone;
  if (entry.interest.trigger == Trigger::kEdge && !entry.fresh &&
      sys.Changes(fd) == entry.seen_changes) {
    return Ready::kNone;
  }
  const Ready now = sys.Poll(fd);
  Ready reported = now & (wanted | Ready::kHangup | Ready::kError);
  if (Any(now & Ready::kHangup)) reported = reported | Ready::kReadable;
  if (Any(now & Ready::kError)) {
    reported = reported | Ready::kReadable | Ready::kWritable;
  }
  if (Any(wanted & Ready::kReadable)) {
    reported = reported | (now & Ready::kReadHangup);
  }
  return reported;
}

// Returns all ready entries. Those that did not fit most often come first; the
// order of the others is random.
std::vector<SimPoller::Candidate> SimPoller::Collect() {
  std::vector<Candidate> ready;
  for (auto& [fd, entry] : entries_) {
    const Ready now = ReadyNow(fd, entry);
    if (Any(now)) ready.push_back({&entry, fd, now});
  }
  // mutant: P18_TheOrderIsThatOfTheAddresses
  world_.random().Shuffle(absl::MakeSpan(ready));
  std::stable_sort(ready.begin(), ready.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return a.entry->passed_over > b.entry->passed_over;
                   });
  return ready;
}

absl::StatusOr<WaitResult> SimPoller::Wait(absl::Span<Event> events,
                                           Instant deadline) {
  if (events.empty()) {
    return absl::InvalidArgumentError("no room for a single event");
  }
  for (;;) {
    const std::vector<Candidate> ready = Collect();
    const size_t room = std::min(events.size(), ready.size());
    const size_t count = room == 0 ? 0 : 1 + world_.random().Below(room);
    WaitResult result = {.events = count, .woken = woken_.exchange(false)};
    for (size_t i = 0; i < ready.size(); ++i) {
      const auto& [entry, fd, now] = ready[i];
      if (i >= count) {
        ++entry->passed_over;
        continue;
      }
      entry->passed_over = 0;
      entry->fresh = false;
      entry->seen_changes = world_.sys().Changes(fd);
      entry->armed = entry->interest.trigger != Trigger::kOneshot;
      events[i] = {entry->token, now};
      world_.Trace(id_, entry->token, now);
    }
    if (result.woken) {
      world_.Trace(id_, {.slot = Token::kReservedSlot}, Ready::kNone);
    }
    if (result.events > 0 || result.woken) return result;
    if (deadline <= world_.clock().Now()) return result;
    if (!world_.Idle(deadline)) {
      return absl::FailedPreconditionError(
          absl::StrCat("nothing can happen any more: nothing is ready, no "
                       "deadline and no action is left (seed ",
                       world_.seed(), ")"));
    }
  }
}

}  // namespace trolley::internal
