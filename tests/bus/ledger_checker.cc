// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/bus/ledger_checker.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace trolley {

Tracked::~Tracked() {
  if (checker_ != nullptr) checker_->Destroy(id_);
}
void Tracked::Begin() const {
  checker_->Step(id_, LedgerChecker::kNew, LedgerChecker::kBegun);
}
void Tracked::Finish() const {
  checker_->Step(id_, LedgerChecker::kBegun, LedgerChecker::kFinished);
  checker_->handled_.fetch_add(1);
}
void Tracked::Fail() const {
  checker_->Step(id_, LedgerChecker::kBegun, LedgerChecker::kFailed);
  checker_->failed_.fetch_add(1);
}

LedgerChecker::LedgerChecker(uint32_t most)
    : most_(most), states_(new std::atomic<uint8_t>[most]()) {}

Tracked LedgerChecker::NewMessage() {
  const uint32_t id = made_.fetch_add(1);
  if (id >= most_) std::abort();  // the test asked for too small a checker
  return Tracked(this, id);
}

Delivery LedgerChecker::Sent(Delivery delivery) {
  (delivery == Delivery::kAccepted ? accepted_ : refused_).fetch_add(1);
  return delivery;
}

void LedgerChecker::Sent(const absl::Status& status) {
  (status.ok() ? accepted_ : refused_).fetch_add(1);
}

void LedgerChecker::Step(uint32_t id, State from, State to) {
  if (states_[id].exchange(to) != from) impossible_.fetch_add(1);
}

void LedgerChecker::Destroy(uint32_t id) {
  gone_.fetch_add(1);
  switch (states_[id].exchange(kGone)) {
    case kNew:
      dropped_.fetch_add(1);
      break;
    case kBegun:
      interrupted_.fetch_add(1);
      break;
    case kGone:
      impossible_.fetch_add(1);
      break;
    default:
      break;
  }
}

std::string LedgerChecker::Compare(const Ledger& ledger) const {
  std::string wrong;
  const auto equal = [&](const char* what, uint64_t mine, uint64_t theirs) {
    if (mine == theirs) return;
    absl::StrAppend(&wrong, what, ": the test says ", mine, ", the bus ",
                    theirs, "\n");
  };
  equal("messages still alive", 0, alive());
  equal("handled twice or too late", 0, impossible_.load());
  equal(
      "every message counted once", made_.load(),
      handled_.load() + failed_.load() + dropped_.load() + interrupted_.load());
  equal("attempted", accepted_.load() + refused_.load() + asked_.load(),
        ledger.attempted);
  if (asked_.load() == 0) {
    equal("accepted", accepted_.load(), ledger.accepted);
    equal("refused", refused_.load(), ledger.refused);
  }
  equal("handled", handled_.load(), ledger.handled);
  equal("failed", failed_.load(), ledger.failed);
  // An ask that is refused is dropped without a word to the test.
  equal("refused, expired, dead-lettered or never sent",
        dropped_.load() + interrupted_.load(),
        ledger.refused + ledger.expired + ledger.dead_lettered +
            ledger.dropped + not_sent_.load());
  if (!ledger.Balances()) {
    absl::StrAppend(&wrong, "the ledger does not balance\n");
  }
  if (!wrong.empty()) absl::StrAppend(&wrong, ledger.ToString());
  return wrong;
}

}  // namespace trolley
