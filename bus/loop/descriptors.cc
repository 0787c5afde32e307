// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/descriptors.h"

namespace trolley::internal {

absl::StatusOr<Token> Descriptors::Watch(int fd, Interest interest,
                                         Watcher* watcher) {
  thread_.Check();
  uint32_t index;
  if (!free_.empty()) {
    index = free_.back();
  } else {
    index = slots_.size();
    slots_.emplace_back();
  }
  Slot& slot = slots_[index];
  const Token token{.slot = index, .generation = slot.generation};
  if (absl::Status added = poller_.Add(fd, token, interest); !added.ok()) {
    if (free_.empty()) free_.push_back(index);
    return added;
  }
  if (!free_.empty()) free_.pop_back();
  slot.watcher = watcher;
  slot.fd = fd;
  ++used_;
  return token;
}

absl::Status Descriptors::Change(Token token, Interest interest) {
  thread_.Check();
  Slot* slot = Find(token);
  if (slot == nullptr) return absl::NotFoundError("not watched any more");
  return poller_.Modify(slot->fd, token, interest);
}

void Descriptors::Unwatch(Token token) {
  thread_.Check();
  Slot* slot = Find(token);
  if (slot == nullptr) return;
  // An error means that the poller has lost the registration: nothing to do.
  poller_.Remove(slot->fd, token).IgnoreError();
  slot->watcher = nullptr;
  slot->fd = -1;
  ++slot->generation;
  free_.push_back(token.slot);
  --used_;
}

void Descriptors::Dispatch(absl::Span<const Event> events) {
  thread_.Check();
  for (const Event& event : events) {
    Slot* slot = Find(event.token);
    if (slot != nullptr) slot->watcher->OnReady(event.ready);
  }
}

void Descriptors::DispatchCompleted() {
  thread_.Check();
  while (Operation* operation = completions_->TakeCompleted()) {
    operation->OnCompletion();
  }
}

Descriptors::Slot* Descriptors::Find(Token token) {
  if (token.slot >= slots_.size()) return nullptr;
  Slot& slot = slots_[token.slot];
  if (slot.watcher == nullptr || slot.generation != token.generation) {
    return nullptr;
  }
  return &slot;
}

}  // namespace trolley::internal
