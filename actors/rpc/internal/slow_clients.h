// SPDX-License-Identifier: Apache-2.0
//
// SlowClients: the streams of one service that have their end, and whose client
// has not read all yet. One whose client reads nothing for long is
// cancelled.
//
//   clients->Add(call);      // the call is there until Remove()
//   clients->Remove(call);
//
// SlowClientsKeeper, an actor, looks at them while there are some: it has the
// timers of its loop.
//
// Ownership: shared by the calls and by the keeper.
// Threads:   thread-safe.
// Bounds:    ActorServiceOptions::max_calls.
// Ends:      the keeper, with the service. Then no stream is cancelled.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_SLOW_CLIENTS_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_SLOW_CLIENTS_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

// What a client that is slow holds up.
class SlowClient {
 public:
  virtual ~SlowClient() = default;
  // Thread-safe. Cancels the call if its client has read nothing since `since`.
  virtual void CancelIfIdle(Instant since) = 0;
};

class SlowClientsKeeper;

class SlowClients {
 public:
  explicit SlowClients(absl::Duration patience) : patience_(patience) {}

  absl::Duration patience() const { return patience_; }
  // Before the first Add().
  void SetKeeper(Ref<SlowClientsKeeper> keeper) { keeper_ = std::move(keeper); }

  void Add(const std::shared_ptr<SlowClient>& client);
  void Remove(const SlowClient* client);
  // The clients that are there. None: the keeper is told of the next one.
  std::vector<std::shared_ptr<SlowClient>> Look();

 private:
  const absl::Duration patience_;
  Ref<SlowClientsKeeper> keeper_;
  absl::Mutex mutex_;
  absl::flat_hash_map<const SlowClient*, std::weak_ptr<SlowClient>> clients_
      ABSL_GUARDED_BY(mutex_);
  bool looks_ ABSL_GUARDED_BY(mutex_) = false;  // the keeper
};

class SlowClientsKeeper : public Actor {
 public:
  struct Look {};

  explicit SlowClientsKeeper(std::shared_ptr<SlowClients> clients)
      : clients_(std::move(clients)) {}
  void On(const Look&);

 private:
  const std::shared_ptr<SlowClients> clients_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_SLOW_CLIENTS_H_
