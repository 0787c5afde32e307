// SPDX-License-Identifier: Apache-2.0
//
// ExternalAsk: where the reply goes to when the asker is not an actor: a plain
// thread that blocks, or a server whose call is to be finished.
//
// Ownership: reference counted: the asker holds one reference, the envelope of
//            the ask another, handed to whoever completes it.
// Threads:   OnReply runs on the thread of the loop that replies, or on the
//            sender's thread if the message was refused late.
// Ends:      OnReply is called exactly once, also if the actor ends first.

#ifndef TROLLEY_BUS_EXTERNAL_ASK_H_
#define TROLLEY_BUS_EXTERNAL_ASK_H_

#include "trolley/bus/envelope.h"
#include "trolley/bus/ref_counted.h"

namespace trolley {

class ExternalAsk : public RefCounted {
 public:
  virtual ~ExternalAsk() = default;

  // `reply` holds the reply, of the type that the ask was made for. The callee
  // takes it out, destroys the payload and leaves the envelope to the caller.
  virtual void OnReply(Envelope* reply) = 0;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_EXTERNAL_ASK_H_
