// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/emulated_completions.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace trolley {

EmulatedCompletions::EmulatedCompletions(Sys& sys,
                                         std::unique_ptr<Poller> inner)
    : sys_(sys),
      inner_(std::move(inner)),
      capabilities_(inner_->capabilities()) {
  capabilities_.completion = true;
}

EmulatedCompletions::~EmulatedCompletions() {
  for (auto& [operation, watch] : watches_) {
    inner_->Remove(watch.duplicate.get(), watch.token).IgnoreError();
  }
}

void EmulatedCompletions::Start(Operation& operation) {
  operation.Begin(*this);
  // mutant: P16_AFullQueueLosesAnOperation
  waiting_.Add(operation);
  ++pending_;
}

void EmulatedCompletions::Cancel(Operation& operation) {
  Unwatch(operation);
  if (waiting_.Has(operation)) {
    waiting_.Remove(operation);
    // mutant: P16_WhatWasCancelledIsReported
    operation.SetResult(-ECANCELED);
  } else {
    // mutant: P11_ACancelLosesAConnection
    completed_.Remove(operation);
  }
  operation.End();
  --pending_;
}

Operation* EmulatedCompletions::TakeCompleted() {
  // mutant: P16_AnOperationCompletesTwice
  Operation* const operation = completed_.first();
  if (operation == nullptr) return nullptr;
  completed_.Remove(*operation);
  operation->End();
  --pending_;
  return operation;
}

int64_t EmulatedCompletions::Try(const Operation::Request& request) {
  int64_t result = -EINTR;
  while (result == -EINTR) {
    switch (request.kind) {
      case Operation::Kind::kRead:
        result = sys_.Read(request.fd, {request.data, request.size});
        break;
      case Operation::Kind::kWrite:
        result = sys_.Write(request.fd, {request.data, request.size});
        break;
      case Operation::Kind::kAccept:
        result = sys_.Accept4(request.fd, nullptr, nullptr,
                              SOCK_CLOEXEC | SOCK_NONBLOCK);
        break;
    }
  }
  return result;
}

void EmulatedCompletions::TryAll() {
  for (Operation* at = waiting_.first(); at != nullptr;) {
    Operation& operation = *at;
    at = OperationQueue::After(operation);
    const int64_t result = Try(operation.request);
    if (result == -EAGAIN && !never_waits_) continue;
    Unwatch(operation);
    operation.SetResult(result);
    waiting_.Remove(operation);
    completed_.Add(operation);
  }
}

// By duplicates: the caller may watch the descriptor itself, too.
void EmulatedCompletions::WatchWaiting() {
  for (Operation* at = waiting_.first(); at != nullptr;) {
    Operation& operation = *at;
    at = OperationQueue::After(operation);
    if (watches_.contains(&operation)) continue;
    ScopedFd duplicate(sys_, sys_.Dup(operation.request.fd));
    const Token token{.slot = ++last_slot_, .generation = kGeneration};
    const bool writes = operation.request.kind == Operation::Kind::kWrite;
    const absl::Status added = inner_->Add(
        duplicate.get(), token, {writes ? Ready::kWritable : Ready::kReadable});
    if (added.ok()) {
      watches_[&operation] = {std::move(duplicate), token};
    } else {
      operation.SetResult(-EAGAIN);
      waiting_.Remove(operation);
      completed_.Add(operation);
    }
  }
}

void EmulatedCompletions::Unwatch(const Operation& operation) {
  const auto it = watches_.find(&operation);
  if (it == watches_.end()) return;
  inner_->Remove(it->second.duplicate.get(), it->second.token).IgnoreError();
  watches_.erase(it);
}

absl::StatusOr<WaitResult> EmulatedCompletions::Wait(absl::Span<Event> events,
                                                     Instant deadline) {
  for (;;) {
    TryAll();
    WatchWaiting();
    // mutant: P16_ItSleepsOnACompletion
    const bool any = !completed_.empty();
    absl::StatusOr<WaitResult> result =
        WaitInner(events, any ? Instant() : deadline);
    if (!result.ok()) return result;
    const auto ours = [](const Event& e) {
      return e.token.generation == kGeneration;
    };
    const size_t all = result->events;
    result->events =
        std::remove_if(events.begin(), events.begin() + all, ours) -
        events.begin();
    const bool may_be_ready = result->events < all;
    if (may_be_ready) TryAll();
    result->completed = !completed_.empty();
    if (result->completed || result->woken || result->events > 0) return result;
    if (!may_be_ready) return result;  // the deadline
  }
}

}  // namespace trolley
