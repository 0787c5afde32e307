// SPDX-License-Identifier: Apache-2.0
//
// CallStream: the messages of one streaming call, between the handler on its
// loop and gRPC on its threads. StreamCall is the side of gRPC.
//
//   absl::Status sent = co_await stream->Write(bytes);       // the handler
//   absl::StatusOr<std::optional<std::string>> next = co_await stream->Read();
//
// It needs no gRPC, so an actor that streams does not include gRPC.
//
// Ownership: shared by the handler's message and by the call.
// Threads:   Write() and Read(): loop thread only, in a coroutine handler. The
//            rest is thread-safe.
// Bounds:    Limits, for each direction.
// Ends:      Close(), by the call. The coroutines that wait go on with its
//            status.

#ifndef TROLLEY_ACTORS_RPC_INTERNAL_CALL_STREAM_H_
#define TROLLEY_ACTORS_RPC_INTERNAL_CALL_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

// Messages in the order in which they came, and their bytes.
class StreamQueue {
 public:
  bool empty() const { return messages_.empty(); }
  size_t size() const { return messages_.size(); }
  size_t bytes() const { return bytes_; }
  void Push(std::string message) {
    bytes_ += message.size();
    messages_.push_back(std::move(message));
  }
  std::string Pop() {
    std::string message = std::move(messages_.front());
    messages_.pop_front();
    bytes_ -= message.size();
    return message;
  }
  void Clear() {
    messages_.clear();
    bytes_ = 0;
  }

 private:
  std::deque<std::string> messages_;
  size_t bytes_ = 0;
};

class CallStream : public std::enable_shared_from_this<CallStream> {
 public:
  using Ptr = std::shared_ptr<CallStream>;
  struct Limits {
    uint32_t messages = 0;       // a count
    uint32_t bytes = 0;          // of all messages that wait
    uint32_t message_bytes = 0;  // of one message to the client
    absl::Duration patience;     // of Write(), with a client that does not read
  };

  // The bus outlives the calls of Open().
  CallStream(const Bus& bus, const Limits& limits)
      : bus_(bus), limits_(limits) {}
  virtual ~CallStream() = default;

  // Waits for room, and gives `message` to the call. Errors: those of
  // ServerStreaming::Write (actors/rpc/server_streams.h).
  Task<absl::Status> Write(std::string message);
  // Waits for the next message of the client. Nothing: the client sends no
  // more. Errors: those of ClientStreaming::Read.
  Task<absl::StatusOr<std::optional<std::string>>> Read();

  // While it lives, TakeOffered() on this thread gives `stream`, once. So the
  // parser of a message finds the stream that the message is for.
  class Offer {
   public:
    explicit Offer(Ptr stream);
    Offer(const Offer&) = delete;
    Offer& operator=(const Offer&) = delete;
    ~Offer();
  };
  // Null: there is none.
  static Ptr TakeOffered();

 protected:
  // The queues have changed: starts what the call can do now.
  virtual void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) = 0;

  bool HasRoom(const StreamQueue& queue) const {
    return queue.size() < limits_.messages && queue.bytes() < limits_.bytes;
  }
  const Limits& limits() const { return limits_; }
  // The coroutines that wait look at the queues again.
  void WakeHandler() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends both directions for the handler: with `why`, unless it is closed.
  void Close(absl::Status why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  StreamQueue from_client_ ABSL_GUARDED_BY(mutex_);
  StreamQueue to_client_ ABSL_GUARDED_BY(mutex_);
  // The client sends no more.
  bool client_ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Write() has lost its patience.
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;

 private:
  // False: there is no room now, and WakeHandler() will wake this loop.
  absl::StatusOr<bool> TryWrite(std::string& message);
  // Nullopt: there is no message yet, and WakeHandler() will wake this loop.
  using Next = absl::StatusOr<std::optional<std::string>>;
  std::optional<Next> TryRead();
  absl::Status Stalled();

  const Bus& bus_;
  const Limits limits_;
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
  int waiting_loop_ ABSL_GUARDED_BY(mutex_) = kNoLoop;
  static constexpr int kNoLoop = -1;

  // Loop thread only.
  AsyncCondition changed_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_RPC_INTERNAL_CALL_STREAM_H_
