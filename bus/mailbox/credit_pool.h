// SPDX-License-Identifier: Apache-2.0
//
// Mailbox credit: what bounds a mailbox. One credit is the right to have one
// message in the mailbox of one actor. A sender takes a credit before it
// sends. The credit comes free when the message has been handled or dropped. So
// the bound is exact, and a sender learns at once that a mailbox is full.
//
// Where the credits of one actor are:
//
//   CreditPool     in the actor's cell: free for every sender, one atomic word
//   LocalCredits   held in advance by the actor's own loop
//   RemoteCredits  held in advance by each other loop that sends to the actor
//   CreditWaiters  reserved for senders that wait for room (Ref::Send)
//   messages       one for each message that is on its way, queued, or with a
//                  suspended handler (Envelope::kHoldsCredit)
//
// Invariant: the credits in these five places are CreditsFor() together
// (bus/mailbox/cell.h), as long as the actor is running. A debug build
// checks what one thread can see of it: CheckCredits() in bus/mailbox/cell.h.
//
// A loop holds credits in advance so that a send costs no atomic operation. It
// gives them back before it sleeps. Both kinds take and give in batches of
// CreditBatch().
//
// The word of the pool also holds the generation of the actor, so that one
// operation tells "the actor has ended" from "its mailbox is full". And it
// holds the reserve (SpawnOptions::urgent_reserve): so many credits only urgent
// messages may take. The loop of an actor with a reserve gives each credit back
// to the pool at once, so the reserve is in the pool unless urgent messages
// have it.
//
// Ownership: part of a cell; outlives the actor.
// Threads:   thread-safe, except Open and Close: the actor's loop, or the
//            thread that spawns the actor.
// Bounds:    SpawnOptions::mailbox_capacity credits, kMostCredits at most.
// Ends:      Close() ends the generation; its credits are void from then on.

#ifndef TROLLEY_BUS_MAILBOX_CREDIT_POOL_H_
#define TROLLEY_BUS_MAILBOX_CREDIT_POOL_H_

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstdint>

namespace trolley::internal {

inline constexpr uint32_t kMostCredits = (1u << 24) - 1;
inline constexpr uint32_t kMostReserved = 255;

// How many of `credits` move at a time: an eighth, at least 1, at most 64. So
// a loop that takes a batch leaves most of the credits to other senders.
inline constexpr uint32_t kMostCreditsAtATime = 64;
constexpr uint32_t CreditBatch(uint32_t credits) {
  return std::clamp<uint32_t>(credits / 8, 1, kMostCreditsAtATime);
}

// How many of the credits of its own actor a loop keeps when it is done with
// messages; further ones go back. 0: of a few credits it keeps none, because
// other senders would find an empty mailbox full.
constexpr uint32_t MostKeptCredits(uint32_t credits) {
  const uint32_t batch = CreditBatch(credits);
  return batch > 1 ? batch : 0;
}

class CreditPool {
 public:
  struct Taken {
    bool gone = false;     // not this generation
    uint32_t credits = 0;  // how many were taken
  };

  // Starts a generation with `credits` free, at most kMostCredits. `reserve` of
  // them, at most kMostReserved, are for urgent messages.
  // Memory ordering: visible to each thread that learns the actor's id later.
  void Open(uint32_t generation, uint32_t credits, uint32_t reserve = 0) {
    assert(credits <= kMostCredits && reserve <= kMostReserved);
    word_.store(Pack(generation, credits) | reserve << kFreeBits,
                std::memory_order_release);
  }

  // Ends the generation. Later calls with it take and return nothing.
  void Close(uint32_t next_generation) { Open(next_generation, 0); }

  // Thread-safe. The same, if `generation` has not ended yet; else false.
  bool EndGeneration(uint32_t generation) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (Generation(word) == generation) {
      if (word_.compare_exchange_weak(word, Pack(generation + 1, 0),
                                      std::memory_order_release,
                                      std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }

  // Takes one credit.
  Taken TakeOne(uint32_t generation) { return Take(generation, 1, ~0u); }
  // The same for an urgent message, which may take one of the reserve.
  Taken TakeUrgent(uint32_t generation) { return Take(generation, 1, 0); }

  // Takes a batch of what is free, at most `most`.
  Taken TakeBatch(uint32_t generation, uint32_t most) {
    return Take(generation, most, ~0u);
  }

  // Takes every free credit but the reserve; 0 also if it is not this
  // generation.
  uint32_t TakeAll(uint32_t generation) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (Generation(word) == generation && Free(word) > Reserve(word)) {
      const uint32_t taken = Free(word) - Reserve(word);
      if (word_.compare_exchange_weak(word, word - taken,
                                      std::memory_order_relaxed)) {
        return taken;
      }
    }
    return 0;
  }

  void Return(uint32_t generation, uint32_t credits) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while (Generation(word) == generation &&
           !word_.compare_exchange_weak(word, word + credits,
                                        std::memory_order_relaxed)) {
    }
    // The credits must not overflow into the bits of the reserve.
    assert(Generation(word) != generation ||
           Free(word) <= kMostCredits - credits);
  }

  uint32_t generation() const {
    return Generation(word_.load(std::memory_order_acquire));
  }
  uint32_t free() const { return Free(word_.load(std::memory_order_relaxed)); }
  uint32_t reserve() const {
    return Reserve(word_.load(std::memory_order_relaxed));
  }

 private:
  // Leaves the reserve, or `kept` if that is less.
  Taken Take(uint32_t generation, uint32_t most, uint32_t kept) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
      // mutant: P5_AnOldHandleReachesTheNextActor
      if (Generation(word) != generation) return {.gone = true};
      const uint32_t left = std::min(Reserve(word), kept);
      // mutant: P6_AnOrdinaryMessageTakesTheReserve
      const uint32_t free = Free(word) > left ? Free(word) - left : 0;
      const uint32_t batch = std::min(CreditBatch(free), most);
      // mutant: P6_FullBeforeItIsFull
      const uint32_t taken = std::min(free, batch);
      // mutant: P6_AFullMailboxTakesMore
      if (taken == 0) return {};
      if (word_.compare_exchange_weak(word, word - taken,
                                      std::memory_order_relaxed)) {
        return {.credits = taken};
      }
    }
  }

  // Bits 0 to 23: free; 24 to 31: the reserve; 32 to 63: the generation.
  static constexpr int kFreeBits = 24;
  static constexpr uint64_t Pack(uint32_t generation, uint32_t credits) {
    return (uint64_t{generation} << 32) | credits;
  }
  static constexpr uint32_t Generation(uint64_t word) { return word >> 32; }
  static constexpr uint32_t Free(uint64_t word) { return word & kMostCredits; }
  static constexpr uint32_t Reserve(uint64_t word) {
    return word >> kFreeBits & kMostReserved;
  }

  std::atomic<uint64_t> word_{0};
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MAILBOX_CREDIT_POOL_H_
