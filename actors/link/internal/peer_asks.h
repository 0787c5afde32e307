// SPDX-License-Identifier: Apache-2.0
//
// PeerAsks: the asks of the peer of a StreamLink, from their arrival to their
// answer.
//
// Ownership: a member of the link. What is under way is in coroutines of it.
// Threads:   loop thread only.
// Bounds:    the caller's: it takes none when count() is at max_pending_asks.
// Ends:      Forget(), when the connection has ended, or Cancel() for one ask.
//            After it no answer is sent, and a suspended handler of such an ask
//            is cancelled.
//
// Each ask that was counted by Begin() ends by one of these, once:
//
//   Drop()         no mailbox took it; or it was forgotten while it waited
//   AnswerLater()  a mailbox took it: when its handler has answered
//   AnswerWhen()   the link answers it itself: when `look` gives the answer
//   FailLater()    it goes no further: when the error is in the outbox

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_PEER_ASKS_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_PEER_ASKS_H_

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/link/internal/link_state.h"
#include "trolley/actors/task.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {

class PeerAsks {
 public:
  explicit PeerAsks(LinkState& state) : state_(state) {}
  PeerAsks(const PeerAsks&) = delete;
  PeerAsks& operator=(const PeerAsks&) = delete;

  // Asks that have no answer yet.
  size_t count() const { return count_; }
  void Begin() { ++count_; }
  void Drop() {
    assert(count_ > 0);
    --count_;
  }
  void AnswerLater(uint64_t ask_id, std::unique_ptr<WireAsk> ask);
  // Nullopt: not yet.
  using Look = std::function<std::optional<absl::StatusOr<WireMessage>>()>;
  // Looks now, and again and again until `deadline`.
  void AnswerWhen(uint64_t ask_id, Look look, Instant deadline);
  void FailLater(uint64_t ask_id, absl::Status error);

  // Those that a mailbox has taken, or that fail, are not answered any more.
  void Forget();
  // The asker of one of these gave up: it is not answered any more, and its
  // handler is cancelled if it is suspended. No effect if there is none.
  void Cancel(uint64_t ask_id);

 private:
  // Lives in Answer() or Fail().
  struct Taken {
    uint64_t ask_id = 0;
    WireAsk* ask = nullptr;  // null if it fails
    bool forgotten = false;  // no peer waits for its answer
    AsyncCondition forgot;
  };
  class Listed;

  Task<absl::Status> Answer(uint64_t ask_id, std::unique_ptr<WireAsk> ask);
  Task<absl::Status> Await(uint64_t ask_id, Look look, Instant deadline);
  Task<absl::Status> Fail(uint64_t ask_id, absl::Status error);
  // A peer that reads slowly gets its answers slowly, and asks no more.
  Task<absl::Status> WaitForRoom(const Taken& taken);
  void AnswerNow(uint64_t ask_id, absl::StatusOr<WireMessage> result);
  static void Forget(Taken& taken, absl::string_view why);

  LinkState& state_;
  size_t count_ = 0;
  absl::flat_hash_set<Taken*> taken_;
  absl::flat_hash_map<uint64_t, Taken*> by_id_;  // the first of each ask id
  std::string head_;  // of the next answer; kept for its memory
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_PEER_ASKS_H_
