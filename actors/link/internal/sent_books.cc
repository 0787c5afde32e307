// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/sent_books.h"

#include <algorithm>

namespace trolley::internal {

void SentBooks::Trim(uint64_t written) {
  while (!unwritten_.empty() && unwritten_.front() <= written) {
    unwritten_.pop_front();
  }
}

void SentBooks::TellSent(uint64_t sequence, uint64_t written) {
  Trim(written);
  unwritten_.push_back(sequence);
  ++sent_;
}

void SentBooks::AskEnded(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAcknowledged:
      ++ledger_.acknowledged;
      break;
    case Outcome::kFailed:
      ++ledger_.failed;
      break;
    case Outcome::kUnknown:
      ++ledger_.fate_unknown;
      break;
  }
}

void SentBooks::TellRefused() {
  if (open_tells() == 0) return;  // a peer that lies
  ++refused_;
  ++ledger_.failed;
}

bool SentBooks::TellsTaken(uint64_t count) {
  // mutant: P14_APeerAcknowledgesMoreThanItGot
  if (count < taken_ || count > sent_ - refused_) return false;
  ledger_.acknowledged += count - taken_;
  taken_ = count;
  return true;
}

void SentBooks::EndConnection(uint64_t written) {
  Trim(written);
  // mutant: P15_WhatDidNotLeaveHasAnUnknownFate
  const uint64_t failed = std::min<uint64_t>(unwritten_.size(), open_tells());
  ledger_.failed += failed;
  // mutant: P15_WhatLeftIsForgottenWithItsConnection
  ledger_.fate_unknown += open_tells() - failed;
  unwritten_.clear();
  sent_ = taken_ = refused_ = 0;
}

LinkLedger SentBooks::Read() const {
  LinkLedger ledger = ledger_;
  ledger.open = ledger.accepted - ledger.acknowledged - ledger.failed -
                ledger.fate_unknown;
  return ledger;
}

}  // namespace trolley::internal
