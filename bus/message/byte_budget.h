// SPDX-License-Identifier: Apache-2.0
//
// ByteBudget: the bytes of the messages of one mailbox, and the bound of
// SpawnOptions::mailbox_bytes. ByteLease: the bytes of one of these messages.
//
//   ByteLease lease = budget.Take(message.size());
//   if (!lease) return Delivery::kFull;
//
// The lease goes with the message, as a part of its payload. So the bytes come
// free when the payload is destroyed, whatever becomes of the message. A budget
// is never reset: each lease gives back what it took, to the same budget.
//
// A message that is larger than the bound is taken if there are no other bytes.
// Otherwise its sender would try for ever.
//
// A sender that waits for bytes (CreditWaiters) learns from the actor's loop
// that there is room. Other threads give bytes back only if they took them and
// then did not send. They call TakeWaiting() and tell the loop.
//
// Ownership: of the actor's loop (LoopInbox::byte_budgets). A lease borrows its
//            budget, which lives as long as the bus's state.
// Threads:   ByteBudget: thread-safe. ByteLease: that of its owner.
// Bounds:    of budgets, one for each slot (bus/registry/slot_table.h).

#ifndef TROLLEY_BUS_MESSAGE_BYTE_BUDGET_H_
#define TROLLEY_BUS_MESSAGE_BYTE_BUDGET_H_

#include <atomic>
#include <cstdint>
#include <utility>

namespace trolley::internal {

class ByteBudget;

// Movable. Empty, or so many bytes of a budget.
class ByteLease {
 public:
  ByteLease() = default;
  ByteLease(ByteLease&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
  ByteLease& operator=(ByteLease&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  inline ~ByteLease();

  explicit operator bool() const { return budget_ != nullptr; }

 private:
  friend class ByteBudget;
  ByteLease(ByteBudget* budget, uint64_t bytes)
      : budget_(budget), bytes_(bytes) {}

  ByteBudget* budget_ = nullptr;
  uint64_t bytes_ = 0;
};

class ByteBudget {
 public:
  // What becomes of bytes that are too many.
  enum class Beyond : uint8_t { kRefused, kTaken };

  // Begins with the next actor of the slot. `most` 0: there is no bound.
  void Open(uint64_t most, Beyond beyond) {
    most_ = most;
    beyond_ = beyond;
  }
  bool bounded() const { return most_ != 0; }

  // Empty: there is no room.
  ByteLease Take(uint64_t bytes) {
    uint64_t used = used_;
    do {
      // mutant: P6_BytesHaveNoBound
      if (beyond_ == Beyond::kRefused && !Fits(used, bytes)) return {};
    } while (!used_.compare_exchange_weak(used, used + bytes));
    return ByteLease(this, bytes);
  }

  // For `bytes`, when others have taken `before`.
  bool HasRoomFor(uint64_t before, uint64_t bytes) const {
    return beyond_ == Beyond::kTaken || Fits(used_ + before, bytes);
  }
  // More is taken than there should be.
  bool over() const { return used_ > most_; }
  uint64_t used() const { return used_; }
  uint64_t most() const { return most_; }

  // A sender waits for bytes. Call HasRoomFor() again after this.
  void SetWaiting() { waiting_ = true; }
  // After bytes were given back: true for one caller of those that follow
  // SetWaiting().
  bool TakeWaiting() { return waiting_ && waiting_.exchange(false); }

 private:
  friend class ByteLease;

  bool Fits(uint64_t used, uint64_t bytes) const {
    // mutant: P6_AMessageOfMoreThanTheBoundNeverFits
    if (used == 0) return true;
    const uint64_t most = most_;
    return used <= most && bytes <= most - used;
  }

  std::atomic<uint64_t> most_{0};
  std::atomic<uint64_t> used_{0};
  std::atomic<Beyond> beyond_{Beyond::kRefused};
  std::atomic<bool> waiting_{false};
};

inline ByteLease::~ByteLease() {
  // mutant: P6_BytesDoNotComeFree
  if (budget_ != nullptr) budget_->used_ -= bytes_;
}

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_BYTE_BUDGET_H_
