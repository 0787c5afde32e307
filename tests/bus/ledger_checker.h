// SPDX-License-Identifier: Apache-2.0
//
// LedgerChecker: counts the messages of a test, to compare the counts with the
// ledger of a bus (P2). Every message of the test has a Tracked, which records
// what happened to the message:
//
//   struct Note { Tracked tracked; };
//   checker.Sent(ref.Tell(Note{checker.NewMessage()}));
//   void On(const Note& m) { m.tracked.Begin(); ...; m.tracked.Finish(); }
//   ...
//   checker.Check(bus.Shutdown(absl::Seconds(5)).ledger);
//
// It finds a message that was
//
//   - handled twice, or after it was destroyed;
//   - neither handled nor dropped;
//   - leaked;
//   - counted in a wrong column of the ledger;
//   - refused, and handled all the same.
//
// Ownership: outlives the messages.
// Threads:   thread-safe.
// Bounds:    as many messages as its constructor is given.

#ifndef TROLLEY_TESTS_BUS_LEDGER_CHECKER_H_
#define TROLLEY_TESTS_BUS_LEDGER_CHECKER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "trolley/bus/delivery.h"
#include "trolley/bus/ledger.h"

namespace trolley {

class LedgerChecker;

// The life of one message. Move-only; a moved-from one belongs to no message.
class Tracked {
 public:
  Tracked() = default;
  Tracked(Tracked&& other) noexcept
      : checker_(std::exchange(other.checker_, nullptr)), id_(other.id_) {}
  Tracked& operator=(Tracked&&) = delete;
  ~Tracked();

  // The handler was called; it ended well; it threw or returned an error.
  void Begin() const;
  void Finish() const;
  void Fail() const;

 private:
  friend class LedgerChecker;
  Tracked(LedgerChecker* checker, uint32_t id) : checker_(checker), id_(id) {}

  LedgerChecker* checker_ = nullptr;
  uint32_t id_ = 0;
};

class LedgerChecker {
 public:
  explicit LedgerChecker(uint32_t most = 200'000);

  Tracked NewMessage();

  // What a Tell said; returns it.
  Delivery Sent(Delivery delivery);
  // What an awaited Send said.
  void Sent(const absl::Status& status);
  // An ask was made. What became of it shows in its Tracked alone.
  void Asked() { asked_.fetch_add(1); }
  // It turned out that this one was never sent: it would have been a cycle.
  void NotAsked() {
    asked_.fetch_sub(1);
    NotSent();
  }
  void NotSent() { not_sent_.fetch_add(1); }

  // Compares, once every message is gone, with the ledger of the bus at its
  // end. An empty text: the books agree; else what does not.
  std::string Compare(const Ledger& ledger) const;

  uint64_t handled() const { return handled_.load(); }
  uint64_t failed() const { return failed_.load(); }
  uint64_t accepted() const { return accepted_.load(); }
  uint64_t refused() const { return refused_.load(); }
  // Made and not yet destroyed.
  uint64_t alive() const { return made_.load() - gone_.load(); }

 private:
  friend class Tracked;
  enum State : uint8_t { kNew, kBegun, kFinished, kFailed, kGone };

  void Step(uint32_t id, State from, State to);
  void Destroy(uint32_t id);

  const uint32_t most_;
  const std::unique_ptr<std::atomic<uint8_t>[]> states_;
  std::atomic<uint32_t> made_{0};
  std::atomic<uint64_t> gone_{0};
  std::atomic<uint64_t> accepted_{0}, refused_{0}, asked_{0};
  std::atomic<uint64_t> handled_{0}, failed_{0};
  std::atomic<uint64_t> dropped_{0};      // never handled
  std::atomic<uint64_t> interrupted_{0};  // the handler was cancelled
  std::atomic<uint64_t> not_sent_{0};
  std::atomic<uint64_t> impossible_{0};  // twice, or in the wrong order
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_LEDGER_CHECKER_H_
