// SPDX-License-Identifier: Apache-2.0
//
// ReplyChannels: the streams that an actor yields to, between the handlers that
// yield and the handlers that fetch.
//
//   ReplyChannelWriter<Row> writer(channels, key);
//   co_await writer.Yield(row);        // waits for credit
//   co_await channels.Pull(pull);      // waits for items
//
// A channel is in the table as long as its writer lives. A fetch that waits
// then shares the channel, so that it can tell its reader that the writer is
// gone.
//
// Ownership: ReplyChannels is a member of a ReplyStreams.
// Threads:   loop thread only.
// Bounds:    ReplyStreamsOptions::streams. A channel has no more items than the
//            credit of the last fetch.
// Ends:      a channel with its writer.

#ifndef TROLLEY_ACTORS_PATTERNS_INTERNAL_REPLY_CHANNEL_H_
#define TROLLEY_ACTORS_PATTERNS_INTERNAL_REPLY_CHANNEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/patterns/reply_stream_options.h"
#include "trolley/actors/task.h"

namespace trolley::internal {

// The texts of the errors.
absl::Status NoCredit();
absl::Status NoSuchStream();
absl::Status TooManyStreams(size_t most);
absl::Status SameStream();
absl::Status StreamHasEnded();
absl::Status OutOfPatience(absl::Duration patience);
// What the reader gets at last. `end`: the reply of the handler. `cut`: it
// called no End().
absl::Status EndOfStream(bool cut, absl::Status end);

template <typename T>
struct ReplyChannel {
  bool has_credit() const { return items.size() < credit; }

  std::deque<T> items;     // yielded and not fetched
  uint32_t credit = 0;     // how many there may be: that of the last fetch
  bool ended = false;      // End() was called
  bool told = false;       // a reader has learnt of that
  bool gone = false;       // the writer is destroyed
  AsyncCondition filled;   // for fetches
  AsyncCondition fetched;  // for the writer
};

template <typename T>
class ReplyChannels {
 public:
  using ChannelPtr = std::shared_ptr<ReplyChannel<T>>;

  explicit ReplyChannels(const ReplyStreamsOptions& options)
      : options_(options) {}
  ReplyChannels(const ReplyChannels&) = delete;
  ReplyChannels& operator=(const ReplyChannels&) = delete;

  const ReplyStreamsOptions& options() const { return options_; }
  size_t size() const { return channels_.size(); }

  absl::StatusOr<ChannelPtr> Open(const ReplyStreamKey& key) {
    if (channels_.size() >= options_.streams) {
      return TooManyStreams(options_.streams);
    }
    const auto [at, is_new] = channels_.try_emplace(key);
    if (!is_new) return SameStream();
    at->second = std::make_shared<ReplyChannel<T>>();
    return at->second;
  }
  void Close(const ReplyStreamKey& key) { channels_.erase(key); }

  Task<absl::StatusOr<ReplyStreamBatch<T>>> Pull(ReplyStreamPull<T> pull) {
    if (pull.credit == 0) co_return NoCredit();
    const auto found = channels_.find(pull.stream);
    if (found == channels_.end()) co_return NoSuchStream();
    const ChannelPtr channel = found->second;
    channel->credit = pull.credit;
    channel->fetched.Notify();
    while (channel->items.empty() && !channel->ended && !channel->gone) {
      co_await channel->filled.Wait();
    }
    ReplyStreamBatch<T> batch;
    batch.cut = channel->gone && !channel->told;
    if (batch.cut) co_return batch;
    const size_t count = std::min<size_t>(channel->items.size(), pull.credit);
    for (size_t i = 0; i < count; ++i) {
      batch.items.push_back(std::move(channel->items.front()));
      channel->items.pop_front();
    }
    batch.ended = channel->ended && channel->items.empty();
    channel->told = batch.ended;
    channel->fetched.Notify();
    co_return batch;
  }

 private:
  const ReplyStreamsOptions options_;
  absl::flat_hash_map<ReplyStreamKey, ChannelPtr> channels_;
};

template <typename T>
class ReplyChannelWriter {
 public:
  ReplyChannelWriter(ReplyChannels<T>& channels, ReplyStreamKey key)
      : channels_(channels),
        key_(std::move(key)),
        channel_(channels.Open(key_)) {}
  ReplyChannelWriter(const ReplyChannelWriter&) = delete;
  ReplyChannelWriter& operator=(const ReplyChannelWriter&) = delete;
  ~ReplyChannelWriter() {
    if (!channel_.ok()) return;
    // mutant: P23_AStreamThatIsCutIsNotTold
    (*channel_)->gone = true;
    (*channel_)->filled.Notify();
    channels_.Close(key_);
  }

  Task<absl::Status> Yield(T item) {
    if (!channel_.ok()) co_return channel_.status();
    ReplyChannel<T>& channel = **channel_;
    if (channel.ended) co_return StreamHasEnded();
    const auto has_credit = [&channel] { return channel.has_credit(); };
    // mutant: P23_AStreamHasNoCredit
    if (!co_await WaitUntil(has_credit)) co_return TooLate();
    channel.items.push_back(std::move(item));
    channel.filled.Notify();
    co_return absl::OkStatus();
  }

  Task<absl::Status> End() {
    if (!channel_.ok()) co_return channel_.status();
    ReplyChannel<T>& channel = **channel_;
    if (channel.ended) co_return StreamHasEnded();
    channel.ended = true;
    channel.filled.Notify();
    const auto told = [&channel] { return channel.told; };
    // mutant: P23_TheEndOfAStreamIsNotWaitedFor
    if (!co_await WaitUntil(told)) co_return TooLate();
    co_return absl::OkStatus();
  }

 private:
  // False: no fetch came in time.
  template <typename Condition>
  Task<bool> WaitUntil(Condition condition) {
    while (!condition()) {
      const Instant end = Now() + channels_.options().patience;
      if (!co_await (*channel_)->fetched.Wait(end)) co_return condition();
    }
    co_return true;
  }
  absl::Status TooLate() const {
    return OutOfPatience(channels_.options().patience);
  }

  ReplyChannels<T>& channels_;
  const ReplyStreamKey key_;
  const absl::StatusOr<std::shared_ptr<ReplyChannel<T>>> channel_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_PATTERNS_INTERNAL_REPLY_CHANNEL_H_
