// SPDX-License-Identifier: Apache-2.0
//
// EnvelopePtr: owns an envelope that is not in a queue. Its destructor destroys
// the payload and frees the envelope.
//
//   EnvelopePtr e(loop.router().NewEnvelope(bytes, head));
//   e->Emplace<M>(args...);  // if this throws, the envelope is freed
//   e->ops = ops;            // from here on there is a payload
//   loop.router().Send(e.release());
//
// The hot paths do not use it: there, code that knows the type of the payload
// destroys it.
//
// Threads:   an envelope of the heap: any. One of a loop's pool: the loops of
//            that bus.

#ifndef TROLLEY_BUS_LOOP_ENVELOPE_PTR_H_
#define TROLLEY_BUS_LOOP_ENVELOPE_PTR_H_

#include <memory>

#include "trolley/bus/loop/loop.h"
#include "trolley/bus/message/envelope.h"

namespace trolley::internal {

struct EnvelopeDeleter {
  // An envelope without `ops` has no payload.
  void operator()(Envelope* e) const {
    if (e->ops != nullptr) e->ops->drop(e);
    if (e->owner_loop() == Envelope::kNoLoop) {
      EnvelopePool::PutToHeap(e);
    } else {
      Loop::Current()->router().Free(e);
    }
  }
};
using EnvelopePtr = std::unique_ptr<Envelope, EnvelopeDeleter>;

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_ENVELOPE_PTR_H_
