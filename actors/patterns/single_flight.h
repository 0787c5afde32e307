// SPDX-License-Identifier: Apache-2.0
//
// SingleFlight: of calls with the same key at the same time, only one does the
// work. The others wait, and get a copy of its result.
//
//   class Rates : public trolley::Actor {
//    public:
//     static constexpr bool kInterleaved = true;
//     explicit Rates(const Ref<Bank>& bank) : bank_(bank) {}
//     Task<absl::StatusOr<int>> On(GetRate m) {
//       const auto load = [&] { return bank_.Ask(m, kTimeout); };
//       co_return co_await loads_.Run(m.currency, load);
//     }
//    private:
//     const Ref<Bank> bank_;
//     SingleFlight<std::string, absl::StatusOr<int>> loads_;
//   };
//
// Each call brings its own work. The work of the first call runs, in the
// coroutine of that call. If that coroutine is destroyed before the work has
// ended, the call that has waited longest takes over: its own work runs, from
// the beginning. So no waiter is lost, and work may begin more than once; work
// that must not is a case for Idempotency (actors/patterns/idempotency.h).
//
// An error of the work is a result like any other, and all get it. A result is
// for the calls that came before it. A later call does the work again.
//
// Ownership: a member of an actor. It must outlive its calls.
// Threads:   loop thread only.
// Bounds:    SingleFlightOptions::keys and waiting. It keeps no result.
// Ends:      a call that is destroyed leaves the others as they are, or hands
//            the work over.

#ifndef TROLLEY_ACTORS_PATTERNS_SINGLE_FLIGHT_H_
#define TROLLEY_ACTORS_PATTERNS_SINGLE_FLIGHT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/patterns/internal/awaitable.h"
#include "trolley/actors/patterns/internal/counted_call.h"
#include "trolley/actors/patterns/internal/waiting_line.h"
#include "trolley/actors/task.h"

namespace trolley {

struct SingleFlightOptions {
  static constexpr size_t kMost = size_t{1} << 40;

  // Keys that are worked for at the same time; a count, 1 to kMost.
  size_t keys = 1000;
  // Calls that wait for one key; a count, 0 to kMost. 1000: the credits of a
  // usual mailbox.
  size_t waiting = 1000;
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateSingleFlightOptions(const SingleFlightOptions& options);

// calls = refused + worked + shared + cancelled + those under way.
struct SingleFlightStats {
  uint64_t calls = 0;
  uint64_t refused = 0;
  uint64_t worked = 0;      // ended with the result of their own work
  uint64_t shared = 0;      // ended with the result of another call
  uint64_t cancelled = 0;   // destroyed, or the work threw
  uint64_t taken_over = 0;  // how often a waiting call went on with its work
};

template <typename Key, typename R>
class SingleFlight {
 public:
  explicit SingleFlight(const SingleFlightOptions& options = {})
      : options_(options), valid_(ValidateSingleFlightOptions(options)) {}
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  // Resolves to an R: the result of the work of this call, or of another one.
  // work() returns a Task, an ask or the like, that resolves to an R, which is
  // an absl::Status or an absl::StatusOr. More errors, without any work:
  //   ResourceExhausted  SingleFlightOptions::keys or waiting; the text says
  //                      which
  //   InvalidArgument    the options are not valid
  template <typename K, typename F>
  Task<R> Run(K&& key, F&& work) {
    internal::CheckTemporaries<K, F>();
    static_assert(std::is_same_v<internal::WorkResult<F>, R>,
                  "the work resolves to the R of the SingleFlight");
    static_assert(internal::kIsStatus<R> && std::is_copy_constructible_v<R>,
                  "R is an absl::Status, or an absl::StatusOr of a type that "
                  "can be copied");
    return RunOrWait<std::decay_t<F>>(Key(std::forward<K>(key)),
                                      std::forward<F>(work));
  }

  // Keys that are worked for.
  size_t keys() const { return flights_.size(); }
  const SingleFlightStats& stats() const { return stats_; }

 private:
  struct Flight {
    explicit Flight(Key k) : key(std::move(k)) {}
    const Key key;
    internal::WaitingLine line;
    std::optional<R> result;
  };

  // One call. A place in the line is given the lead, or the result.
  struct Call {
    explicit Call(SingleFlight& of) : owner(of) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
      // mutant: P23_NobodyTakesTheWorkOver
      if (!leads() || flight->line.GiveToFirst()) return;
      // mutant: P23_AKeyThatNobodyWorksForIsKept
      owner.flights_.erase(flight->key);
    }

    bool leads() const {
      return flight != nullptr && !flight->result.has_value() &&
             (first || place.given());
    }

    SingleFlight& owner;
    std::shared_ptr<Flight> flight;  // null: refused
    internal::WaitingLine::Place place;
    bool first = false;
  };

  template <typename F>
  Task<R> RunOrWait(Key key, F work) {
    internal::CountedCall counted(stats_);
    Call call(*this);
    if (absl::Status status = Board(call, std::move(key)); !status.ok()) {
      co_return counted.End(stats_.refused, std::move(status));
    }
    if (!call.first) {
      co_await call.place.Wait();
      if (!call.leads()) {
        co_return counted.End(stats_.shared, *call.flight->result);
      }
      ++stats_.taken_over;
    }
    auto operation = work();
    R result = co_await internal::AwaitNamed(operation);
    Land(*call.flight, result);
    co_return counted.End(stats_.worked, std::move(result));
  }

  // Gives `call` the lead of a new flight, or a place in the line of one.
  absl::Status Board(Call& call, Key key) {
    if (!valid_.ok()) return valid_;
    const auto found = flights_.find(key);
    if (found != flights_.end()) {
      if (found->second->line.size() >= options_.waiting) {
        return absl::ResourceExhaustedError(
            absl::StrCat("SingleFlightOptions::waiting = ", options_.waiting,
                         " calls wait for this key"));
      }
      call.flight = found->second;
      call.place.Join(call.flight->line);
      return absl::OkStatus();
    }
    if (flights_.size() >= options_.keys) {
      return absl::ResourceExhaustedError(
          absl::StrCat("SingleFlightOptions::keys = ", options_.keys,
                       " keys are worked for"));
    }
    call.first = true;
    call.flight = std::make_shared<Flight>(std::move(key));
    flights_.emplace(call.flight->key, call.flight);
    return absl::OkStatus();
  }

  // Gives the result to all that wait.
  void Land(Flight& flight, const R& result) {
    flight.result = result;
    // mutant: P23_ALaterCallGetsAnOldResult
    flights_.erase(flight.key);
    while (flight.line.GiveToFirst()) {
    }
  }

  const SingleFlightOptions options_;
  const absl::Status valid_;
  absl::flat_hash_map<Key, std::shared_ptr<Flight>> flights_;
  SingleFlightStats stats_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_PATTERNS_SINGLE_FLIGHT_H_
