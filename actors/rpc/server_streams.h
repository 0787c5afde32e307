// SPDX-License-Identifier: Apache-2.0
//
// ServerStreaming, ClientStreaming, BidiStreaming: the messages by which an
// actor gets a streaming call of an ActorService (actors/rpc/actor_service.h).
// The handler is a coroutine, and the call ends when it returns.
//
//   rpc List(ListRequest) returns (stream Entry)
//   rpc Import(stream Entry) returns (Summary)
//   rpc Chat(stream Line) returns (stream Line)
//
//   class Book : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;   // several streams at a time
//     using List = trolley::ServerStreaming<ListRequest, Entry>;
//     using Import = trolley::ClientStreaming<Entry, Summary>;
//     using Chat = trolley::BidiStreaming<Line, Line>;
//     using Receives = trolley::Protocol<List, Summary(Import), Chat>;
//
//     trolley::Task<absl::Status> On(List call) {
//       for (const Entry& entry : entries_) {
//         absl::Status sent = co_await call.Write(entry);
//         if (!sent.ok()) co_return sent;
//       }
//       co_return absl::OkStatus();
//     }
//     trolley::Task<absl::StatusOr<Summary>> On(Import call) {
//       for (;;) {
//         absl::StatusOr<std::optional<Entry>> entry = co_await call.Read();
//         if (!entry.ok()) co_return entry.status();
//         if (!entry->has_value()) co_return Summarize();   // all have come
//         entries_.push_back(**std::move(entry));
//       }
//     }
//
// Messages go in order and without a hole. Those that were written before the
// handler returned reach the client, and then the status does.
//
//   what happens                       the other side
//   the client is slow                 Write() waits: credit
//   the handler is slow                the client waits: HTTP/2's flow control
//   the client cancels or vanishes,    the handler is cancelled. One that runs
//   or the deadline passes             gets Cancelled from Write() and Read()
//   the handler returns                the client gets what was written, and
//                                      the status
//
// Ownership: the handler has the message, and may move it. It holds the
//            messages that wait in both directions.
// Threads:   loop thread only.
// Bounds:    ActorServiceOptions::stream_messages and stream_bytes. A handler
//            that waits holds a credit of its mailbox; an interleaved actor
//            has at most half of its credits in such handlers.
// Ends:      with the handler. After that Write() and Read() are Cancelled.

#ifndef TROLLEY_ACTORS_RPC_SERVER_STREAMS_H_
#define TROLLEY_ACTORS_RPC_SERVER_STREAMS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/rpc/internal/call_stream.h"
#include "trolley/actors/task.h"
#include "trolley/actors/wire_methods.h"

namespace trolley {
namespace internal {

// The name of the type of a streaming call, as its .proto file has it.
std::string StreamingTypeName(bool client_streams, absl::string_view request,
                              bool server_streams, absl::string_view reply);

// What Receives asks of a message (WireType): its name, and how bytes become
// one. The bytes alone are no call: a link that sends them is refused.
template <bool kClientStreams, WireType In, bool kServerStreams, WireType Out>
class StreamingMessage {
 public:
  struct Descriptor {
    std::string full_name() const {
      return StreamingTypeName(kClientStreams, NameOfType<In>(), kServerStreams,
                               NameOfType<Out>());
    }
  };
  static const Descriptor* descriptor() {
    static constexpr Descriptor kDescriptor;
    return &kDescriptor;
  }

  StreamingMessage() = default;
  StreamingMessage(StreamingMessage&&) = default;
  StreamingMessage& operator=(StreamingMessage&&) = default;

  bool ParseFromArray(const void* bytes, int size) {
    if constexpr (!kClientStreams) {
      if (!request_.ParseFromArray(bytes, size)) return false;
    }
    stream_ = CallStream::TakeOffered();
    return stream_ != nullptr;
  }
  bool SerializeToString(std::string*) const { return false; }
  // For a mailbox with a bound of bytes.
  size_t OwnedBytes() const { return request_.ByteSizeLong(); }

 protected:
  Task<absl::Status> WriteMessage(const Out& message) {
    std::string bytes;
    if (!message.SerializeToString(&bytes)) return Fail(NotSerialized());
    return stream_->Write(std::move(bytes));
  }
  Task<absl::StatusOr<std::optional<In>>> ReadMessage() {
    absl::StatusOr<std::optional<std::string>> next = co_await stream_->Read();
    if (!next.ok()) co_return next.status();
    if (!next->has_value()) co_return std::optional<In>();
    In message;
    if (!message.ParseFromArray((*next)->data(),
                                static_cast<int>((*next)->size()))) {
      co_return absl::InvalidArgumentError(absl::StrCat(
          "the ", (*next)->size(),
          " bytes of a message of the stream are not a ", NameOfType<In>()));
    }
    co_return std::optional<In>(std::move(message));
  }

  In request_;

 private:
  static Task<absl::Status> Fail(absl::Status status) { co_return status; }
  static absl::Status NotSerialized() {
    return absl::InternalError(absl::StrCat(
        "a message of type ", NameOfType<Out>(), " does not serialize"));
  }

  CallStream::Ptr stream_;
};

}  // namespace internal

// A call with one request and many replies. The handler returns a
// Task<absl::Status>.
template <WireType Request, WireType Reply>
class ServerStreaming
    : public internal::StreamingMessage<false, Request, true, Reply> {
 public:
  const Request& request() const { return this->request_; }

  // Waits for room, and sends the message.
  //   OK                 the client gets it, unless the call fails
  //   Cancelled          the call has ended
  //   DeadlineExceeded   the client has read nothing for
  //                      ActorServiceOptions::stream_patience
  //   ResourceExhausted  it is longer than max_message_bytes
  //   Internal           it does not serialize
  Task<absl::Status> Write(const Reply& reply) {
    return this->WriteMessage(reply);
  }
};

// A call with many requests and one reply. The handler returns a
// Task<absl::StatusOr<Reply>> or a Task<Reply>.
template <WireType Request, WireType Reply>
class ClientStreaming
    : public internal::StreamingMessage<true, Request, false, Reply> {
 public:
  // Waits for the next message. Nothing: all have come.
  //   Cancelled        the call has ended
  //   InvalidArgument  the bytes of the client are no message of this type
  Task<absl::StatusOr<std::optional<Request>>> Read() {
    return this->ReadMessage();
  }
};

// A call with many requests and many replies. The handler returns a
// Task<absl::Status>. It reads and writes as those above.
template <WireType Request, WireType Reply>
class BidiStreaming
    : public internal::StreamingMessage<true, Request, true, Reply> {
 public:
  Task<absl::StatusOr<std::optional<Request>>> Read() {
    return this->ReadMessage();
  }
  Task<absl::Status> Write(const Reply& reply) {
    return this->WriteMessage(reply);
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_RPC_SERVER_STREAMS_H_
