// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/remote_topics/internal/waiting_entries.h"

#include <utility>

namespace trolley::internal {

using topics::v1::Batch;
using topics::v1::Entry;

namespace {

// The numbers of an entry in a batch, and the lengths of its fields.
constexpr uint64_t kEntryBytes = 64;

}  // namespace

void WaitingEntries::Add(const std::string& name, std::string value,
                         uint64_t sequence) {
  const uint64_t bytes = name.size() + value.size();
  // mutant: P21_WhatAProcessDoesNotReadPilesUp
  if (entries_.size() >= options_.max_waiting ||
      bytes_ + bytes > options_.max_waiting_bytes) {
    // mutant: P21_WhatFindsNoRoomIsForgotten
    ++missed_;
    return;
  }
  Entry& entry = entries_.emplace_back();
  entry.set_number(++last_);
  entry.set_missed(std::exchange(missed_, 0));
  entry.set_name(name);
  entry.set_value(std::move(value));
  entry.set_sequence(sequence);
  bytes_ += bytes;
}

void WaitingEntries::Received(uint64_t number) {
  // mutant: P21_WhatIsOnItsWayIsForgotten
  while (!entries_.empty() && entries_.front().number() <= number) {
    bytes_ -= BytesOf(entries_.front());
    entries_.pop_front();
  }
}

// It was one publication, and now it is one more that was missed.
void WaitingEntries::Drop(Entry& entry) {
  bytes_ -= BytesOf(entry);
  entry.set_missed(entry.missed() + 1);
  entry.clear_name();
  entry.clear_value();
}

bool WaitingEntries::Fill(uint32_t most_bytes, Batch& batch) {
  if (entries_.empty() && missed_ > 0) {
    Entry& entry = entries_.emplace_back();
    entry.set_number(++last_);
    entry.set_missed(std::exchange(missed_, 0));
  }
  uint64_t bytes = 0;
  for (Entry& entry : entries_) {
    // mutant: P21_ALongPublicationStopsASession
    if (BytesOf(entry) > most_bytes) Drop(entry);
    bytes += BytesOf(entry) + kEntryBytes;
    if (bytes > most_bytes && batch.entries_size() > 0) break;
    *batch.add_entries() = entry;
  }
  return batch.entries_size() > 0;
}

}  // namespace trolley::internal
