// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/alarms.h"

#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace trolley::internal {

absl::Status Alarms::Start() {
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no thread for the deadlines and the long answers of the "
                     "control service: ",
                     std::string(error.what())));
  }
  return absl::OkStatus();
}

void Alarms::Stop() {
  {
    MonitorLock lock(&monitor_);
    stopping_ = true;
    monitor_.Notify();
  }
  if (thread_.joinable()) thread_.join();
  MonitorLock lock(&monitor_);
  actions_.clear();
}

Alarms::Id Alarms::Set(absl::Duration after, std::function<void()> action) {
  const Instant at = MonotonicClock().Now() + after;
  if (at.is_infinite()) return {};
  MonitorLock lock(&monitor_);
  if (stopping_) return {};
  const Id id{at, ++last_};
  const auto [entry, is_new] = actions_.try_emplace(id, std::move(action));
  if (entry == actions_.begin()) monitor_.Notify();
  return id;
}

bool Alarms::Cancel(const Id& id) {
  Actions::node_type cancelled;  // destroyed outside the lock
  MonitorLock lock(&monitor_);
  const auto entry = actions_.find(id);
  if (entry == actions_.end()) return false;
  cancelled = actions_.extract(entry);
  return true;
}

Alarms::Actions::node_type Alarms::Next() {
  while (!stopping_) {
    const Instant next =
        actions_.empty() ? Instant::Infinite() : actions_.begin()->first.first;
    const bool changed = monitor_.WaitUntil(
        next, [this, next]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor_) {
          return stopping_ ||
                 (!actions_.empty() && actions_.begin()->first.first < next);
        });
    if (changed || actions_.empty()) continue;
    if (actions_.begin()->first.first <= MonotonicClock().Now()) {
      return actions_.extract(actions_.begin());
    }
  }
  return {};
}

void Alarms::Run() {
  for (;;) {
    Actions::node_type due;
    {
      MonitorLock lock(&monitor_);
      due = Next();
    }
    if (due.empty()) return;
    due.mapped()();
  }
}

}  // namespace trolley::internal
