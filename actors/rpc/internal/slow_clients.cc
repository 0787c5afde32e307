// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/slow_clients.h"

#include <algorithm>

namespace trolley::internal {

void SlowClients::Add(const std::shared_ptr<SlowClient>& client) {
  // Infinite: no client loses it. Without a keeper the service has ended.
  if (patience_ == absl::InfiniteDuration() || !keeper_) return;
  bool wake = false;
  {
    absl::MutexLock lock(&mutex_);
    clients_.emplace(client.get(), client);
    wake = !std::exchange(looks_, true);
  }
  // Of its messages there is never more than one.
  if (wake) keeper_.Tell(SlowClientsKeeper::Look{});
}

void SlowClients::Remove(const SlowClient* client) {
  absl::MutexLock lock(&mutex_);
  clients_.erase(client);
}

std::vector<std::shared_ptr<SlowClient>> SlowClients::Look() {
  std::vector<std::shared_ptr<SlowClient>> found;
  absl::MutexLock lock(&mutex_);
  for (const auto& [key, weak] : clients_) {
    if (auto client = weak.lock()) found.push_back(std::move(client));
  }
  looks_ = !found.empty();
  return found;
}

void SlowClientsKeeper::On(const Look&) {
  const absl::Duration patience = clients_->patience();
  const auto found = clients_->Look();
  const Instant since = context().Now() + -patience;
  for (const auto& client : found) client->CancelIfIdle(since);
  if (found.empty()) return;
  // A client is cancelled after its patience and a quarter of it, at most.
  TellAfter(this, std::max(patience / 4, absl::Milliseconds(1)), Look{});
}

}  // namespace trolley::internal
