// SPDX-License-Identifier: Apache-2.0
//
// SentBooks: what became of the tells and asks that a StreamLink has taken for
// its peer (LinkLedger in actors/link/link.h).
//
//   books.Accept();                         // the link takes a message
//   books.Fail();                           // it goes no further; or
//   books.TellSent(sequence, written);      // a tell is in the outbox; or
//   books.AskEnded(outcome);                // an ask has its end
//   books.TellsTaken(count);                // the peer says so
//   books.EndConnection(written);           // the rest is failed or unknown
//
// A tell is one of a number: the peer counts those that a mailbox took.
//
// Ownership: a member of the LinkSender.
// Threads:   loop thread only.
// Bounds:    8 bytes for each tell that the kernel does not have:
//            LinkOptions::outbox_messages.
// Ends:      with the link.

#ifndef TROLLEY_ACTORS_LINK_INTERNAL_SENT_BOOKS_H_
#define TROLLEY_ACTORS_LINK_INTERNAL_SENT_BOOKS_H_

#include <cstdint>
#include <deque>

#include "trolley/actors/link/link.h"

namespace trolley::internal {

class SentBooks {
 public:
  enum class Outcome { kAcknowledged, kFailed, kUnknown };

  // A message that the link has taken.
  void Accept() { ++ledger_.accepted; }
  // It is not sent.
  void Fail() { ++ledger_.failed; }
  // A tell is in the outbox as this DATA frame. `written`: of the connection,
  // the last frame that the kernel has whole.
  void TellSent(uint64_t sequence, uint64_t written);
  // The end of an ask that was in the outbox.
  void AskEnded(Outcome outcome);
  // The peer sent a tell back.
  void TellRefused();
  // The peer has taken so many tells of this connection. False: that is more
  // than there were, or less than it said before.
  bool TellsTaken(uint64_t count);
  // How many tells of this connection are open.
  uint64_t open_tells() const { return sent_ - taken_ - refused_; }
  // `written`: as above.
  void EndConnection(uint64_t written);

  // Without `written`, which LinkStats has.
  LinkLedger Read() const;

 private:
  // Forgets the sequences that the kernel has.
  void Trim(uint64_t written);

  LinkLedger ledger_;
  // Of this connection, tells:
  uint64_t sent_ = 0;
  uint64_t taken_ = 0;
  uint64_t refused_ = 0;
  std::deque<uint64_t> unwritten_;  // the sequences of those
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_LINK_INTERNAL_SENT_BOOKS_H_
