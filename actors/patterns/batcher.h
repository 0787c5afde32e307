// SPDX-License-Identifier: Apache-2.0
//
// Batcher: collects items, and gives them away many at a time. One coroutine of
// the actor takes the batches.
//
//   class Log : public trolley::Actor {
//    public:
//     explicit Log(const Ref<Disk>& disk) : disk_(disk) {}
//     void OnStart() { RunInBackground([this] { return Write(); }); }
//     absl::Status On(const Line& m) { return lines_.Add(m.text); }
//     void OnDrain() { lines_.Close(); }
//    private:
//     Task<absl::Status> Write() {
//       for (;;) {
//         std::vector<std::string> lines = co_await lines_.Next();
//         if (lines.empty()) co_return absl::OkStatus();   // it is closed
//         auto written = disk_.Ask(Lines{std::move(lines)}, kTimeout);
//         absl::Status status = co_await written;
//         if (!status.ok()) co_return status;
//       }
//     }
//     const Ref<Disk> disk_;
//     Batcher<std::string> lines_{{.items = 100, .age = absl::Seconds(1)}};
//   };
//
// A batch is due when one of these holds:
//   the items that wait are at least BatcherOptions::items
//   their bytes are at least BatcherOptions::bytes
//   the oldest has waited for BatcherOptions::age
//   Close() was called
// It has the oldest items, in the order in which they were added. While no
// coroutine takes batches, items wait. When too many wait, Add() refuses: that
// tells the sender to go slower.
//
// Ownership: a member of an actor. It must outlive its waiters.
// Threads:   loop thread only.
// Bounds:    BatcherOptions::waiting items, and waiting_bytes.
// Ends:      Close(): the rest goes out, and then empty batches. With its
//            actor: what still waits is in TakeAll(), for OnStop(). A batch
//            that a coroutine has taken is the coroutine's.

#ifndef TROLLEY_ACTORS_PATTERNS_BATCHER_H_
#define TROLLEY_ACTORS_PATTERNS_BATCHER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/patterns/internal/pause.h"
#include "trolley/actors/task.h"
#include "trolley/poller/instant.h"

namespace trolley {

struct BatcherOptions {
  static constexpr size_t kMost = size_t{1} << 40;

  // Items of a batch at most, 1 to kMost; a count.
  size_t items = 100;
  // A batch has no more bytes, except if its first item alone has. 1 to kMost;
  // 1 MiB: the largest frame of a link.
  size_t bytes = size_t{1} << 20;
  // How long an item waits for others. Negative or 0: each Next() takes what
  // there is. Infinite: until a batch is full.
  absl::Duration age = absl::Milliseconds(100);
  // Items that wait, and their bytes; each 1 to kMost. 10 batches.
  size_t waiting = 1000;
  size_t waiting_bytes = size_t{10} << 20;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateBatcherOptions(const BatcherOptions& options);

// added = given + those that wait. `given` counts TakeAll(), too.
struct BatcherStats {
  uint64_t added = 0;
  uint64_t refused = 0;
  uint64_t given = 0;
  uint64_t batches = 0;  // of Next(), without empty ones
};

namespace internal {

// The part that does not depend on the type of an item.
class BatcherBase {
 public:
  explicit BatcherBase(const BatcherOptions& options);
  BatcherBase(const BatcherBase&) = delete;
  BatcherBase& operator=(const BatcherBase&) = delete;

  // From now on Add() refuses, and Next() does not wait.
  void Close();
  bool closed() const { return closed_; }
  // The items that wait.
  size_t size() const { return sizes_.size(); }
  const BatcherStats& stats() const { return stats_; }

 protected:
  // Takes an item into the account, or says why not.
  absl::Status Admit(size_t bytes);
  // Returns when a batch is due, or when it is closed.
  Task<> WaitUntilDue();
  // How many items the next batch has; they leave the account.
  size_t TakeBatch();
  size_t TakeRest();

 private:
  struct Size {
    size_t bytes;
    Instant since_;
  };
  size_t Take(size_t most, size_t most_bytes);
  bool IsDue() const;

  const BatcherOptions options_;
  const absl::Status valid_;
  std::deque<Size> sizes_;  // of the items that wait
  size_t bytes_ = 0;
  bool closed_ = false;
  AsyncCondition changed_;
  BatcherStats stats_;
};

}  // namespace internal

template <typename T>
class Batcher : public internal::BatcherBase {
 public:
  explicit Batcher(const BatcherOptions& options = {}) : BatcherBase(options) {}

  // Adds an item of so many bytes.
  //   OK                  added
  //   ResourceExhausted   too many wait: BatcherOptions::waiting or
  //                       waiting_bytes; the text says which
  //   FailedPrecondition  it is closed
  //   InvalidArgument     the options are not valid
  absl::Status Add(T item, size_t bytes = sizeof(T)) {
    absl::Status status = Admit(bytes);
    if (status.ok()) items_.push_back(std::move(item));
    return status;
  }

  // Waits until a batch is due, and takes it. Empty: it is closed, and no item
  // is left. With several coroutines here, each batch goes to one of them.
  Task<std::vector<T>> Next() {
    // mutant: P23_ATakerTakesBeforeItIsDue
    co_await WaitUntilDue();
    co_return Front(TakeBatch());
  }

  // Takes all items that wait, without waiting.
  std::vector<T> TakeAll() { return Front(TakeRest()); }

 private:
  std::vector<T> Front(size_t count) {
    std::vector<T> batch;
    batch.reserve(count);
    for (; count > 0; --count) {
      batch.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return batch;
  }

  std::deque<T> items_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_BATCHER_H_
