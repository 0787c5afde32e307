// SPDX-License-Identifier: Apache-2.0
//
// ExternalAsk: gets the reply of an ask whose asker is no actor, such as a
// plain thread that waits, or a gRPC call.
//
// Ownership: reference counted: the asker may have a reference; the envelope of
//            the ask has one.
// Threads:   OnReply() runs on the thread of the loop that replies.
// Ends:      if the message was accepted, OnReply() is called once: also if the
//            actor ends first.

#ifndef TROLLEY_BUS_MESSAGE_EXTERNAL_ASK_H_
#define TROLLEY_BUS_MESSAGE_EXTERNAL_ASK_H_

#include "trolley/bus/message/envelope.h"
#include "trolley/bus/ref_counted.h"

namespace trolley::internal {

class ExternalAsk : public RefCounted {
 public:
  virtual ~ExternalAsk() = default;

  // The payload of `reply` is the reply. OnReply() moves it out and destroys
  // the payload. The caller frees the envelope.
  virtual void OnReply(Envelope* reply) = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_MESSAGE_EXTERNAL_ASK_H_
