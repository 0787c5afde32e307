// SPDX-License-Identifier: Apache-2.0
//
// ReplyStream: a handler that yields many replies to one request. It is no
// faster than the actor that reads them: that one grants credit.
//
// The request has a ReplyStreamKey. The handler yields:
//
//   class Table : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;
//     Task<absl::Status> On(GetRows m) {
//       ReplyStreamWriter<Row> out(streams_, m.stream);
//       for (int i = 0; i < m.count; ++i) {
//         absl::Status sent = co_await out.Yield(Row(i));
//         if (!sent.ok()) co_return sent;
//       }
//       co_return co_await out.End();
//     }
//     auto On(ReplyStreamPull<Row> m) { return streams_.Pull(std::move(m)); }
//    private:
//     ReplyStreams<Row> streams_;
//   };
//
// The other actor reads, in any coroutine:
//
//   ReplyStreamKey key;
//   ReplyStreamReader<Row> rows(table_, key, GetRows{key, 1000});
//   for (;;) {
//     absl::StatusOr<std::optional<Row>> row = co_await rows.Next();
//     if (!row.ok()) co_return row.status();
//     if (!row->has_value()) break;   // the end
//     Use(**row);
//   }
//
// How it works. The request is an ask; its reply is the end of the stream. The
// reader fetches items by a second ask, ReplyStreamPull, with `credit` as the
// most that it takes. The replies to both need no space in the reader's
// mailbox, and its handlers need not run at the same time.
//
//   what happens                         the other side
//   the handler returns an error         Next() gives that error, once
//   the handler returns OK, no End()     Next() gives DataLoss
//   the actor of the handler ends        Next() gives what the ask gives
//   the reader is destroyed              the handler is cancelled
//   no Next() for longer than `patience` Yield() and End() give
//                                        DeadlineExceeded
//
// Items come in order and without a hole. After an error, items that were
// yielded and not fetched are dropped.
//
// The handler makes its writer before it waits for anything. Of the limit of
// suspended asks (actors/ref.h) a stream takes two.
//
// Ownership: ReplyStreams is a member of the actor that yields, and outlives
//            its writers. Writer and reader are locals of coroutines.
// Threads:   loop thread only, each side that of its actor.
// Bounds:    `credit` items at the reader, and as many at the writer.
//            ReplyStreamsOptions::streams.
// Ends:      as in the table.

#ifndef TROLLEY_ACTORS_PATTERNS_REPLY_STREAM_H_
#define TROLLEY_ACTORS_PATTERNS_REPLY_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/patterns/ask_all.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/reply_channel.h"
#include "trolley/actors/patterns/reply_stream_options.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/task.h"

namespace trolley {

// The streams that an actor yields to, of items of type T.
template <typename T>
class ReplyStreams {
 public:
  explicit ReplyStreams(const ReplyStreamsOptions& options = {})
      : table_(options) {}

  // The handler of ReplyStreamPull<T>. Waits until the stream has an item, or
  // has ended. NotFound: there is no such stream, or no more.
  Task<absl::StatusOr<ReplyStreamBatch<T>>> Pull(ReplyStreamPull<T> pull) {
    return table_.Pull(std::move(pull));
  }
  // Streams under way.
  size_t size() const { return table_.size(); }

 private:
  template <typename>
  friend class ReplyStreamWriter;
  internal::ReplyChannels<T> table_;
};

template <typename T>
class ReplyStreamWriter {
 public:
  // Begins the stream of the request that is handled.
  ReplyStreamWriter(ReplyStreams<T>& streams, const ReplyStreamKey& key)
      : channel_(streams.table_, key) {}

  // Waits for credit, and gives the item to the reader.
  //   OK                  it will get it, unless the stream fails
  //   DeadlineExceeded    no credit came for ReplyStreamsOptions::patience
  //   ResourceExhausted   ReplyStreamsOptions::streams
  //   FailedPrecondition  End() was called; or another stream has this key
  template <typename X>
  Task<absl::Status> Yield(X&& item) {
    internal::CheckTemporaries<X>();
    return channel_.Yield(T(std::forward<X>(item)));
  }
  // Ends the stream. Waits until the reader has all items. Errors: as Yield().
  Task<absl::Status> End() { return channel_.End(); }

 private:
  internal::ReplyChannelWriter<T> channel_;
};

// Reads one stream.
template <typename T>
class ReplyStreamReader {
 public:
  // Asks `to`, which has handlers of `request` and of ReplyStreamPull<T>. The
  // request has `key` in it. The ask is sent at once.
  template <typename A, typename X>
  ReplyStreamReader(const Ref<A>& to, const ReplyStreamKey& key, X&& request,
                    const ReplyStreamOptions& options = {})
      : end_(internal::AwaitAsk(internal::SendAsk<A, std::decay_t<X>>(
            to, request, options.timeout))),
        pull_([to, pull = ReplyStreamPull<T>{key, options.credit},
               timeout = options.timeout] {
          return internal::AwaitAsk(
              internal::SendAsk<A, ReplyStreamPull<T>>(to, pull, timeout));
        }) {
    static_assert(
        std::is_same_v<internal::AskReply<A, std::decay_t<X>>, absl::Status>,
        "the handler of the request returns a Task<absl::Status>");
    if (options.credit == 0) failed_ = internal::NoCredit();
  }
  ReplyStreamReader(const ReplyStreamReader&) = delete;
  ReplyStreamReader& operator=(const ReplyStreamReader&) = delete;

  // Waits for the next item. Nothing: the stream has ended, all items have
  // come. After that, and after an error, it returns the same again. Errors:
  //   any               the handler returned it, or an ask did (actors/ask.h)
  //   DataLoss          the handler returned OK without End()
  //   InvalidArgument   ReplyStreamOptions::credit is 0
  Task<absl::StatusOr<std::optional<T>>> Next() {
    while (items_.empty()) {
      if (!failed_.ok()) co_return failed_;
      if (!end_.has_value()) co_return std::nullopt;
      absl::StatusOr<ReplyStreamBatch<T>> batch = co_await pull_();
      bool cut = !batch.ok();
      if (batch.ok()) {
        for (T& item : batch->items) items_.push_back(std::move(item));
        if (!batch->ended && !batch->cut) continue;
        cut = batch->cut;
      } else if (!absl::IsNotFound(batch.status())) {
        end_.reset();  // cancels the handler
        failed_ = batch.status();
        continue;
      }
      // The handler has ended, or its actor. Its reply says how.
      Task<absl::Status> end = *std::move(end_);
      end_.reset();
      failed_ = internal::EndOfStream(cut, co_await std::move(end));
    }
    T item = std::move(items_.front());
    items_.pop_front();
    co_return std::optional<T>(std::move(item));
  }

 private:
  std::optional<Task<absl::Status>> end_;  // not set: it has ended
  const std::function<Task<absl::StatusOr<ReplyStreamBatch<T>>>()> pull_;
  std::deque<T> items_;
  absl::Status failed_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_REPLY_STREAM_H_
