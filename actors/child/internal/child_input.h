// SPDX-License-Identifier: Apache-2.0
//
// ChildInput: the lines or frames on their way to the standard input of a child
// process. The owner of the process adds them, and the keeper writes them.
//
//   if (input.Add("a line") == Delivery::kFull) ...      // the owner
//   Write(input.front()); ...; input.PopFront();         // the keeper
//
// Ownership: part of the ChildPort, which both share.
// Threads:   loop thread only.
// Bounds:    `most_bytes`, with line breaks and lengths. Beside them each
//            coroutine in AddWhenRoom() has its piece.
// Ends:      Close() by the owner; Break() by the keeper.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_INPUT_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_INPUT_H_

#include <cstddef>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/async_mutex.h"
#include "trolley/actors/pipe_reader.h"
#include "trolley/actors/task.h"
#include "trolley/bus/delivery.h"

namespace trolley::internal {

class ChildInput {
 public:
  ChildInput(PipeFormat format, size_t most_bytes)
      : format_(format), most_bytes_(most_bytes) {}

  // --- For the owner ---
  // kAccepted, kFull or kGone.
  Delivery Add(absl::string_view piece);
  // Waits for room, in the order of the calls. NotFound: kGone.
  // InvalidArgument: it is longer than `most_bytes`.
  Task<absl::Status> AddWhenRoom(std::string piece);
  // Nothing more is added.
  void Close();
  // Bytes that wait.
  size_t waiting() const { return waiting_; }

  // --- For the keeper ---
  bool empty() const { return chunks_.empty(); }
  bool closed() const { return closed_; }
  // Notified when it is no longer empty, or closed.
  AsyncCondition& changed() { return changed_; }
  // The first bytes. They stay as they are until PopFront().
  absl::string_view front() {
    front_is_lent_ = true;
    return chunks_.front();
  }
  void PopFront();
  // Drops all of it, and closes it. No view of front() is in use any more.
  void Break();

 private:
  // A chunk that has so many bytes gets no more. 64 KiB is what a pipe holds.
  static constexpr size_t kChunkBytes = 64 << 10;

  // Of `piece` with its line break or length.
  size_t BytesOf(absl::string_view piece) const;
  // True: `bytes` more fit.
  bool HasRoom(size_t bytes) const {
    return bytes <= most_bytes_ && waiting_ <= most_bytes_ - bytes;
  }
  void Append(absl::string_view piece);

  const PipeFormat format_;
  const size_t most_bytes_;
  std::deque<std::string> chunks_;
  bool front_is_lent_ = false;
  size_t waiting_ = 0;
  bool closed_ = false;
  AsyncCondition changed_;
  AsyncMutex line_;      // one coroutine at a time waits for room
  AsyncCondition room_;  // there may be more room, or it is closed
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_CHILD_INPUT_H_
