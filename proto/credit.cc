// SPDX-License-Identifier: Apache-2.0

#include "trolley/proto/credit.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/wire_error.h"

namespace trolley::wire {

bool CreditSender::Spend(size_t payload_bytes) {
  const uint64_t cost = CreditCost(payload_bytes);
  if (cost > available_) return false;
  available_ -= cost;
  return true;
}

absl::Status CreditSender::Grant(uint32_t bytes) {
  if (bytes == 0) {
    return MakeWireError(WireError::kBadLength, "CREDIT frame of 0 bytes");
  }
  if (available_ + bytes > kMostCreditBytes) {
    return MakeWireError(
        WireError::kCreditOverflow,
        absl::StrCat("CREDIT frame of ", bytes, " bytes on top of ", available_,
                     " left; the sum must stay within ", kMostCreditBytes));
  }
  available_ += bytes;
  return absl::OkStatus();
}

absl::Status CreditReceiver::Receive(size_t payload_bytes) {
  const uint64_t cost = CreditCost(payload_bytes);
  if (cost > available_) {
    return MakeWireError(
        WireError::kCreditOverrun,
        absl::StrCat("DATA frame that costs ", cost, " bytes of credit; ",
                     available_, " were left"));
  }
  available_ -= cost;
  return absl::OkStatus();
}

void CreditReceiver::Processed(size_t payload_bytes) {
  const uint64_t cost = CreditCost(payload_bytes);
  // What was not received cannot be given back.
  assert(available_ + owed_ + cost <= window_);
  owed_ += cost;
}

uint32_t CreditReceiver::TakeGrant() {
  if (2 * owed_ < window_) return 0;
  available_ += owed_;
  return static_cast<uint32_t>(std::exchange(owed_, 0));
}

}  // namespace trolley::wire
