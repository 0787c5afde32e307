// SPDX-License-Identifier: Apache-2.0
//
// SlotTable<T>: a T for each slot of a loop, of which few loops need any. The
// memory for 1024 slots is allocated when one of them is made.
//
//   SlotTable<ByteBudget> budgets(slots);
//   budgets.Make(7).Open(1 << 20);
//   ByteBudget* budget = budgets.Find(8);  // not null: of the same 1024 slots
//
// Ownership: owns the Ts, each made without arguments.
// Threads:   thread-safe; T is, too, if several threads use it.
// Bounds:    sizeof(T) for each slot.
// Ends:      no T is destroyed before the table.

#ifndef TROLLEY_BUS_REGISTRY_SLOT_TABLE_H_
#define TROLLEY_BUS_REGISTRY_SLOT_TABLE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace trolley::internal {

template <typename T>
class SlotTable {
 public:
  explicit SlotTable(uint32_t slots)
      : chunks_(std::make_unique<std::atomic<Chunk*>[]>(slots / kChunk + 1)),
        size_(slots / kChunk + 1) {}
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;
  ~SlotTable() {
    for (uint32_t i = 0; i < size_; ++i) delete chunks_[i].load();
  }

  // Null: none of its 1024 slots was made.
  T* Find(uint32_t slot) const {
    Chunk* chunk = chunks_[slot / kChunk].load();
    return chunk != nullptr ? &(*chunk)[slot % kChunk] : nullptr;
  }

  T& Make(uint32_t slot) {
    std::atomic<Chunk*>& place = chunks_[slot / kChunk];
    Chunk* chunk = place.load();
    if (chunk == nullptr) {
      auto made = std::make_unique<Chunk>();
      // Another thread may have made it meanwhile.
      if (place.compare_exchange_strong(chunk, made.get())) {
        chunk = made.release();
      }
    }
    return (*chunk)[slot % kChunk];
  }

 private:
  static constexpr uint32_t kChunk = 1024;
  using Chunk = std::array<T, kChunk>;

  const std::unique_ptr<std::atomic<Chunk*>[]> chunks_;
  const uint32_t size_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_REGISTRY_SLOT_TABLE_H_
