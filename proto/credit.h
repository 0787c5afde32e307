// SPDX-License-Identifier: Apache-2.0
//
// Credit: how many bytes of Messages one side may send before the other side
// has handled them.
//
//   frame                    cost in bytes
//   DATA with a Message      payload + 24 (the header), so that many empty
//                            Messages are bounded too
//   DATA with a Reply        0: the receiver takes it at once. If it waited for
//   or a Refusal             credit behind Messages, both sides could wait for
//                            each other for ever
//   all other frames         0
//
//   // Sender:
//   if (!sender.Spend(payload.size())) { wait for a CREDIT frame }
//   // Receiver, when a mailbox has taken the Message:
//   receiver.Processed(payload.size());
//   uint32_t bytes = receiver.TakeGrant();
//   if (bytes > 0) encoder.AppendCredit(bytes, &out);
//
// Ownership: one CreditSender and one CreditReceiver for each link.
// Threads:   one at a time.
// Bounds:    at most the receiver's initial_credit_bytes are on their way or
//            wait in its mailboxes.
//
// Why the sender never waits for ever: ValidateHello() requires a window of at
// least two frames. The receiver grants credit again when half of the window
// has been handled. So when all sent Messages have been handled, the receiver
// owes less than half of the window, and the sender has credit for any frame
// that the receiver accepts. If the sender does not read, the receiver may keep
// a grant back until the sender has read the frames before it.

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

// The count of the sending side.
class CreditSender {
 public:
  explicit CreditSender(const Agreement& agreement)
      : available_(agreement.send_credit_bytes) {}

  // Takes the cost of a DATA frame. False if there is not enough credit; then
  // it takes nothing, and the caller waits for a CREDIT frame.
  bool Spend(size_t payload_bytes);

  // Adds the bytes of a CREDIT frame. An error ends the connection.
  //
  //   kCreditOverflow  the credit is more than 2^31 - 1 bytes in all
  //   kBadLength       the grant is 0 bytes
  absl::Status Grant(uint32_t bytes);

  uint64_t available_bytes() const { return available_; }

 private:
  uint64_t available_;
};

// The count of the receiving side.
class CreditReceiver {
 public:
  explicit CreditReceiver(const Agreement& agreement)
      : window_(agreement.receive_credit_bytes),
        available_(agreement.receive_credit_bytes) {}

  // Counts a DATA frame that has arrived. An error ends the connection.
  //
  //   kCreditOverrun  the peer sent more than it was granted
  absl::Status Receive(size_t payload_bytes);

  // Counts a DATA frame that was handled or refused, so that its bytes are no
  // longer held.
  void Processed(size_t payload_bytes);

  // Returns the bytes to grant with a CREDIT frame now; 0: none. The peer may
  // send them from now on.
  uint32_t TakeGrant();

 private:
  const uint64_t window_;
  uint64_t available_;  // bytes that the peer may still send
  uint64_t owed_ = 0;   // bytes that were handled and not granted again yet
};

}  // namespace trolley::wire

#endif  // TROLLEY_PROTO_CREDIT_H_
