// SPDX-License-Identifier: Apache-2.0
//
// Credit: how much one side may send before the other has handled it. Bytes are
// counted, and a DATA frame with a Message costs its payload plus its header,
// so a flood of empty ones is bounded too. Other frames are free, and so are
// Replies and Refusals: nothing of them waits, and waiting behind Messages they
// could keep both sides from ever handling any.
//
// Ownership: one CreditSender and one CreditReceiver per link.
// Threads:   one at a time.
// Bounds:    at most the receiver's initial_credit_bytes are on their way or
//            waiting in its mailboxes.
//
// Why it never stops for good: ValidateHello() asks for a window of at least
// two frames. The receiver gives credit back once half of the window has been
// handled; when all that was sent has been handled, less than half is still
// owed, so the sender has room for any frame the receiver accepts.

#ifndef TROLLEY_PROTO_CREDIT_H_
#define TROLLEY_PROTO_CREDIT_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"

namespace trolley::wire {

constexpr uint64_t CreditCost(size_t payload_bytes) {
  return uint64_t{payload_bytes} + kFrameHeaderBytes;
}

// The sending side's count.
class CreditSender {
 public:
  explicit CreditSender(const Agreement& agreement)
      : available_(agreement.send_credit_bytes) {}

  // Takes the cost of a DATA frame; false, and takes nothing, if that is more
  // than is left: wait for a CREDIT frame.
  bool Spend(size_t payload_bytes);

  // A CREDIT frame came. kCreditOverflow: more than 2^31 - 1 bytes in all.
  // kBadLength: a grant of 0 bytes. Both end the connection.
  absl::Status Grant(uint32_t bytes);

  uint64_t available_bytes() const { return available_; }

 private:
  uint64_t available_;
};

// The receiving side's count.
class CreditReceiver {
 public:
  explicit CreditReceiver(const Agreement& agreement)
      : window_(agreement.receive_credit_bytes),
        available_(agreement.receive_credit_bytes) {}

  // A DATA frame arrived. kCreditOverrun: the peer had not been granted that
  // much; ends the connection.
  absl::Status Receive(size_t payload_bytes);

  // A received DATA frame was handled, or refused: its bytes are held no more.
  // Returns the bytes to grant with a CREDIT frame now; 0 for none.
  uint32_t Processed(size_t payload_bytes);

 private:
  const uint64_t window_;
  uint64_t available_;  // what the peer may still send
  uint64_t owed_ = 0;   // handled, but not granted again
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_CREDIT_H_
