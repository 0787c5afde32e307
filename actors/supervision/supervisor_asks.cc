// SPDX-License-Identifier: Apache-2.0
//
// What a Supervisor does when it is asked (supervisor_messages.h). An ask that
// has to wait gets a ChildOperation, which the life of the child resolves
// (supervisor.cc).

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trolley/actors/supervision/supervisor.h"

namespace trolley {

std::vector<ChildInfo> Supervisor::On(const GetChildren&) {
  std::vector<ChildInfo> infos;
  infos.reserve(children_.size());
  for (size_t i = 0; i < children_.size(); ++i) {
    infos.push_back(InfoOf(children_[i]));
  }
  return infos;
}

ChildrenPage Supervisor::On(const GetChildrenPage& m) {
  ChildrenPage page;
  if (ends()) {
    page.state = ChildState::kStopping;
  } else if (!AllAreUp()) {
    page.state = ChildState::kStarting;
  }
  const size_t first = children_.FirstAfter(m.after);
  const size_t end = std::min(
      children_.size(), first + std::clamp(m.most, 1u, GetChildrenPage::kMost));
  for (size_t i = first; i < end; ++i) {
    page.children.push_back(InfoOf(children_[i]));
  }
  if (end < children_.size()) page.next = children_[end - 1].id;
  return page;
}

ChildInfo Supervisor::InfoOf(const Child& child) {
  return {.id = child.id,
          .name = child.spec.options.name,
          .address = child.seat.address(),
          .state = child.state,
          .restarts = child.starts > 0 ? child.starts - 1 : 0,
          .last_exit = child.last_exit,
          .is_supervisor = child.spec.is_supervisor};
}

Task<absl::Status> Supervisor::On(AwaitUp) {
  while (!ends()) {
    if (AllAreUp()) co_return absl::OkStatus();
    co_await settled_.Wait();
  }
  co_return Ending();
}

Task<absl::StatusOr<Address>> Supervisor::On(StartChild m) {
  absl::StatusOr<Child*> child = BeginStart(std::move(m.child));
  if (!child.ok()) co_return child.status();
  const Address address = (*child)->seat.address();
  Operation operation = Await(**child, /*to_be_up=*/true);
  Continue();
  const absl::Status up = co_await Result(std::move(operation));
  if (!up.ok()) co_return up;
  co_return address;
}

Task<absl::Status> Supervisor::On(RestartChild m) {
  absl::StatusOr<Operation> operation = BeginRestart(m.name);
  if (!operation.ok()) co_return operation.status();
  Continue();
  co_return co_await Result(*std::move(operation));
}

Task<absl::Status> Supervisor::On(StopChild m) {
  absl::StatusOr<Operation> operation = BeginStop(m.name);
  if (!operation.ok()) co_return operation.status();
  Continue();
  co_return co_await Result(*std::move(operation));
}

absl::StatusOr<Supervisor::Child*> Supervisor::BeginStart(ChildSpec spec) {
  if (ends()) return Ending();
  if (absl::Status valid = ValidateChild(spec); !valid.ok()) return valid;
  if (children_.FindByName(spec.options.name) != nullptr) {
    return absl::AlreadyExistsError(
        absl::StrCat(prefix_, spec.options.name,
                     " is a child already; RestartChild starts it again"));
  }
  if (children_.size() >= options_.max_children) {
    return absl::ResourceExhaustedError(
        absl::StrCat(address().ToString(),
                     " has as many children as its "
                     "SupervisorOptions::max_children allows: ",
                     options_.max_children));
  }
  Child& child = children_.Add(std::move(spec), /*listed=*/false);
  if (absl::Status reserved = Reserve(child); !reserved.ok()) {
    children_.Remove(child);
    return reserved;
  }
  return &child;
}

absl::StatusOr<Supervisor::Operation> Supervisor::BeginRestart(
    const std::string& name) {
  absl::StatusOr<Child*> found = Find(name);
  if (!found.ok()) return found.status();
  Child& child = **found;
  if (child.state == ChildState::kStuck) return Stuck(child);
  const bool has_object =
      child.state != ChildState::kWaiting && child.state != ChildState::kEnded;
  if (child.ends_for_good && has_object) {
    return absl::UnavailableError(absl::StrCat(
        NameOf(child), " is being stopped; ask again when it has ended"));
  }
  Operation operation = Await(child, /*to_be_up=*/true);
  if (child.state == ChildState::kUp) {
    Stop(child, /*for_good=*/false);
  } else if (!has_object) {
    child.state = ChildState::kWaiting;
    child.ends_for_good = false;
    Disarm(child);
    StartUnlessItsTurnComes(child);
  }
  return operation;
}

absl::StatusOr<Supervisor::Operation> Supervisor::BeginStop(
    const std::string& name) {
  absl::StatusOr<Child*> found = Find(name);
  if (!found.ok()) return found.status();
  Child& child = **found;
  Operation operation = Await(child, /*to_be_up=*/false);
  const ChildState state = child.state;
  if (state == ChildState::kEnded) Resolve(child, absl::OkStatus());
  if (state == ChildState::kStuck) Resolve(child, Stuck(child));
  Stop(child, /*for_good=*/true);  // may destroy it
  return operation;
}

absl::StatusOr<Supervisor::Child*> Supervisor::Find(const std::string& name) {
  if (ends()) return Ending();
  if (Child* const child = children_.FindByName(name)) return child;
  return absl::NotFoundError(
      absl::StrCat(address().ToString(), " has no child \"", name,
                   "\"; GetChildren tells which it has"));
}

Supervisor::Operation Supervisor::Await(Child& child, bool to_be_up) {
  if (child.operation != nullptr) {
    if (child.operation->to_be_up == to_be_up) return child.operation;
    // StopChild: a restart cannot begin while a stop is under way.
    Resolve(child, absl::AbortedError("StopChild came"));
  }
  child.operation.reset(new internal::ChildOperation{.to_be_up = to_be_up});
  return child.operation;
}

void Supervisor::Resolve(Child& child, absl::Status result) {
  child.operation->result = std::move(result);
  child.operation->done.Notify();
  child.operation.reset();
}

Task<absl::Status> Supervisor::Result(Operation operation) {
  while (!operation->result.has_value()) co_await operation->done.Wait();
  co_return *operation->result;
}

absl::Status Supervisor::Stuck(const Child& child) const {
  return absl::DeadlineExceededError(absl::StrCat(
      NameOf(child),
      " is stuck: its handler has not returned; it ends when that does"));
}

absl::Status Supervisor::Ending() const {
  return absl::UnavailableError(
      absl::StrCat(address().ToString(), " ends, and stops its children"));
}

}  // namespace trolley
