// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/mailbox/cell.h"

#include <algorithm>
#include <utility>

namespace trolley::internal {

thread_local constinit Construction* Construction::next = nullptr;

CellTable::CellTable(uint32_t max_cells)
    : max_cells_(std::min(max_cells, ActorId::kMaxSlots - 2 * kBatch)),
      max_made_(max_cells_ + 2 * kBatch),
      chunks_(std::make_unique<std::atomic<Cell*>[]>((max_made_ + kChunk - 1) /
                                                     kChunk)) {}

bool CellTable::CountOneMore() {
  if (in_use_.fetch_add(1, std::memory_order_relaxed) < max_cells_) return true;
  CountOneLess();
  return false;
}

void CellTable::CountOneLess() {
  in_use_.fetch_sub(1, std::memory_order_relaxed);
}

Cell* CellTable::TakeShared() {
  if (shared_free_ != nullptr) {
    Cell* cell = shared_free_;
    shared_free_ = cell->next_runnable;
    cell->next_runnable = nullptr;
    return cell;
  }
  const uint32_t slot = used_.load(std::memory_order_relaxed);
  if (slot == max_made_) return nullptr;
  if (slot % kChunk == 0) {
    auto chunk = std::make_unique<Cell[]>(kChunk);
    for (uint32_t i = 0; i < kChunk; ++i) {
      chunk[i].slot = slot + i;
      chunk[i].credits.Close(1);
    }
    chunks_[slot / kChunk].store(chunk.get(), std::memory_order_release);
    owned_.push_back(std::move(chunk));
  }
  used_.store(slot + 1, std::memory_order_release);
  return Find(slot);
}

// Fills the local list, which is empty.
void CellTable::TakeBatch() {
  Cell** end = &shared_free_;
  for (; local_count_ < kBatch && *end != nullptr; ++local_count_) {
    end = &(*end)->next_runnable;
  }
  if (local_count_ > 0) {
    local_free_ = std::exchange(shared_free_, *end);
    *end = nullptr;
    return;
  }
  for (; local_count_ < kBatch; ++local_count_) {
    Cell* cell = TakeShared();
    if (cell == nullptr) return;
    cell->next_runnable = local_free_;
    local_free_ = cell;
  }
}

Cell* CellTable::Allocate(uint32_t* generation) {
  if (!CountOneMore()) return nullptr;
  absl::MutexLock lock(&mutex_);
  Cell* cell = TakeShared();
  if (cell == nullptr) {
    CountOneLess();
    return nullptr;
  }
  *generation = cell->credits.generation();
  return cell;
}

Cell* CellTable::AllocateLocal(uint32_t* generation) {
  if (!CountOneMore()) return nullptr;
  if (local_free_ == nullptr) {
    absl::MutexLock lock(&mutex_);
    TakeBatch();
    if (local_free_ == nullptr) {
      CountOneLess();
      return nullptr;
    }
  }
  Cell* cell = local_free_;
  local_free_ = cell->next_runnable;
  --local_count_;
  cell->next_runnable = nullptr;
  *generation = cell->credits.generation();
  return cell;
}

void CellTable::Abandon(Cell* cell) {
  CountOneLess();
  absl::MutexLock lock(&mutex_);
  cell->next_runnable = shared_free_;
  shared_free_ = cell;
}

void CellTable::Discard(Cell* cell, uint32_t generation) {
  if (cell->credits.EndGeneration(generation)) CountOneLess();
}

void CellTable::Free(Cell* cell, uint32_t generation) {
  CountOneLess();
  const uint32_t next = generation + 1;
  if (next == 0) return;  // all generations were used; the slot stays unused
  cell->credits.Close(next);
  cell->next_runnable = local_free_;
  local_free_ = cell;
  if (++local_count_ < 2 * kBatch) return;
  absl::MutexLock lock(&mutex_);
  for (uint32_t i = 0; i < kBatch; ++i, --local_count_) {
    Cell* moved = local_free_;
    local_free_ = moved->next_runnable;
    moved->next_runnable = shared_free_;
    shared_free_ = moved;
  }
}

}  // namespace trolley::internal
