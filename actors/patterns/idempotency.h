// SPDX-License-Identifier: Apache-2.0
//
// Idempotency: does the work for a key once. A message that comes again with
// the same key gets the first result.
//
//   class Bank : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;
//     Task<absl::StatusOr<int>> On(Transfer m) {
//       const auto work = [this, m] { return Move(m); };
//       co_return co_await transfers_.Run(m.key, work);
//     }
//    private:
//     Task<absl::StatusOr<int>> Move(Transfer m);
//     Idempotency<std::string, absl::StatusOr<int>> transfers_{
//         [this](Task<absl::Status> t) { RunInBackground(std::move(t)); }};
//   };
//
// A sender that got no reply sends its message again. By then the handler of
// the first one may have been cancelled. So the work does not run in it, but in
// a background task of the actor: it goes on, and the second message gets its
// result. That has two consequences.
//   - The work outlives the message. What it uses is a copy, as `m` above.
//   - It has no deadline, no trace and no sender of a message. Give each ask in
//     it a timeout.
//
//   the key                         Run() resolves to
//   is new                          the result of the work
//   is worked for                   that result, when it is there
//   has a result that is kept       a copy of it, at once
//   had an error that is not kept   as if it were new
//
// A result is kept for IdempotencyOptions::age, always: a new key is refused
// when there is no space, and no older one is forgotten for it. An error is
// kept if IdempotencyOptions::keep_error says so.
//
// Ownership: a member of an actor. It must outlive its calls, and so must what
//            the function that runs background tasks uses.
// Threads:   loop thread only.
// Bounds:    IdempotencyOptions::keys, bytes and waiting.
// Ends:      with its actor: the work is cancelled, and all keys are forgotten.
//            A restarted actor knows none of them.

#ifndef TROLLEY_ACTORS_PATTERNS_IDEMPOTENCY_H_
#define TROLLEY_ACTORS_PATTERNS_IDEMPOTENCY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/patterns/idempotency_options.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/counted_call.h"
#include "trolley/actors/patterns/internal/kept_results.h"
#include "trolley/actors/patterns/internal/waiting_line.h"
#include "trolley/actors/task.h"

namespace trolley {

// calls = refused + worked + repeated + cancelled + those under way.
struct IdempotencyStats {
  uint64_t calls = 0;
  uint64_t refused = 0;
  uint64_t worked = 0;     // ended with the result of their own work
  uint64_t repeated = 0;   // ended with the result of another call
  uint64_t cancelled = 0;  // destroyed; their work went on
};

template <typename Key, typename R>
class Idempotency {
 public:
  using RunInBackground = std::function<void(Task<absl::Status>)>;
  using BytesOf = std::function<size_t(const R&)>;

  // `run` starts a background task of the actor. `bytes_of` is the size of a
  // result with all that it owns; null: sizeof(R).
  explicit Idempotency(RunInBackground run, IdempotencyOptions options = {},
                       BytesOf bytes_of = nullptr)
      : run_(std::move(run)),
        options_(std::move(options)),
        valid_(ValidateIdempotencyOptions(options_)),
        bytes_of_(std::move(bytes_of)) {}
  Idempotency(const Idempotency&) = delete;
  Idempotency& operator=(const Idempotency&) = delete;

  // Resolves to the result for `key`. work() returns a Task, an ask or the
  // like, that resolves to an R, which is an absl::Status or an absl::StatusOr.
  // More errors, without any work:
  //   ResourceExhausted  IdempotencyOptions::keys, bytes or waiting; the text
  //                      says which
  //   Unavailable        the actor ends
  //   InvalidArgument    the options are not valid
  template <typename K, typename F>
  Task<R> Run(K&& key, F&& work) {
    internal::CheckTemporaries<K, F>();
    static_assert(std::is_same_v<internal::WorkResult<F>, R>,
                  "the work resolves to the R of the Idempotency");
    static_assert(internal::kIsStatus<R> && std::is_copy_constructible_v<R>,
                  "R is an absl::Status, or an absl::StatusOr of a type that "
                  "can be copied");
    return RunOnce<std::decay_t<F>>(Key(std::forward<K>(key)),
                                    std::forward<F>(work));
  }

  // Keys that are worked for or kept, and the bytes of the kept results.
  size_t keys() const { return results_.keys(); }
  size_t bytes() const { return results_.bytes(); }
  const IdempotencyStats& stats() const { return stats_; }

 private:
  using Results = internal::KeptResults<Key, R>;
  using EntryPtr = typename Results::EntryPtr;

  // The work for a key. Destroyed before it has ended, its waiters get an error
  // and the key is forgotten.
  class Work {
   public:
    Work(Idempotency& owner, EntryPtr entry)
        : owner_(&owner), entry_(std::move(entry)) {}
    Work(Work&& other) noexcept = default;
    ~Work() {
      if (entry_ == nullptr) return;
      End(absl::UnavailableError(
          "the work for this key was cancelled, because its actor ends"));
    }
    void End(R result) { owner_->End(std::exchange(entry_, nullptr), result); }

   private:
    Idempotency* owner_;
    EntryPtr entry_;
  };

  template <typename F>
  Task<R> RunOnce(Key key, F work) {
    internal::CountedCall call(stats_);
    if (!valid_.ok()) co_return call.End(stats_.refused, valid_);
    absl::StatusOr<EntryPtr> found = results_.Find(key);
    if (!found.ok()) co_return call.End(stats_.refused, found.status());
    EntryPtr entry = *std::move(found);
    const bool is_new = entry == nullptr;
    if (is_new) {
      entry = results_.Add(std::move(key));
      // mutant: P23_WorkEndsWithTheCallThatBeganIt
      run_(DoWork<F>(Work(*this, entry), std::move(work)));
    }
    if (!entry->result.has_value()) {
      internal::WaitingLine::Place place;
      place.Join(entry->line);
      co_await place.Wait();
    }
    co_return call.End(is_new ? stats_.worked : stats_.repeated,
                       *entry->result);
  }

  template <typename F>
  Task<absl::Status> DoWork(Work work, F function) {
    auto operation = function();
    R result = co_await internal::AwaitNamed(operation);
    work.End(std::move(result));
    co_return absl::OkStatus();
  }

  void End(const EntryPtr& entry, const R& result) {
    const absl::Status& status = internal::StatusOf(result);
    std::optional<size_t> bytes;
    // mutant: P23_AnErrorIsKept
    if (status.ok() ||
        (options_.keep_error != nullptr && options_.keep_error(status))) {
      bytes = bytes_of_ != nullptr ? bytes_of_(result) : sizeof(R);
    }
    results_.End(entry, result, bytes);
  }

  const RunInBackground run_;
  const IdempotencyOptions options_;
  const absl::Status valid_;
  const BytesOf bytes_of_;
  Results results_{options_};
  IdempotencyStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_IDEMPOTENCY_H_
