// SPDX-License-Identifier: Apache-2.0
//
// TargetQueues: for each actor that messages of the peer of a StreamLink are
// for, those that wait for room in its mailbox, in the order in which they
// came. A message for another actor passes them.
//
// Ownership: a member of the link.
// Threads:   loop thread only.
// Bounds:    the credit of the peer bounds what waits. Queues in which nothing
//            waits are kept, because the next message may be for the same
//            actor: up to kMaxIdle.
// Ends:      with the link.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_TARGET_QUEUES_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_TARGET_QUEUES_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/context.h"
#include "trolley/actors/tell_options.h"
#include "trolley/actors/wire.h"
#include "trolley/proto/frame.h"

namespace trolley::internal {

// A message that waits for room in its target's mailbox.
struct QueuedMessage {
  wire::FrameHeader header;
  uint64_t ask_id = 0;            // 0: it is a tell
  bool forgotten = false;         // an ask whose connection has ended
  std::unique_ptr<WireAsk> made;  // an ask which waits already, or
  WireMessage message;
  TellOptions options;
  std::vector<std::string> askers;
};

// The messages for one actor. While `running`, a coroutine takes them out.
struct TargetQueue {
  WireTarget target;
  std::list<QueuedMessage> waiting;  // one of them may be taken out (Cancel)
  QueuedMessage* in_hand = nullptr;  // of that coroutine
  bool running = false;
  bool stale = false;  // `target` has ended; there may be a successor
};

class TargetQueues {
 public:
  static constexpr size_t kMaxIdle = 1024;

  // Of the actor called `target`, which stays as long as it is running. Null:
  // there is no such actor.
  TargetQueue* For(ActorContext context, absl::string_view target) {
    if (last_ != nullptr && last_->target.name() == target && !last_->stale) {
      return last_;
    }
    return Find(context, target);
  }

  // Looks for a successor if the target has ended.
  static void Renew(ActorContext context, TargetQueue& queue);

  size_t size() const { return queues_.size(); }
  auto begin() { return queues_.begin(); }
  auto end() { return queues_.end(); }

 private:
  TargetQueue* Find(ActorContext context, absl::string_view target);
  void DropIdle();

  absl::node_hash_map<std::string, TargetQueue> queues_;
  TargetQueue* last_ = nullptr;  // of the last message
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_TARGET_QUEUES_H_
