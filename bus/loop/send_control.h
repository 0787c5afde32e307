// SPDX-License-Identifier: Apache-2.0
//
// SendControl: sends a control message to an actor or to the loop of its cell,
// from any thread.

#ifndef TROLLEY_BUS_LOOP_SEND_CONTROL_H_
#define TROLLEY_BUS_LOOP_SEND_CONTROL_H_

#include <utility>

#include "trolley/bus/loop/envelope_ptr.h"
#include "trolley/bus/loop/loop.h"
#include "trolley/bus/message/control_envelope.h"

namespace trolley::internal {

// Thread-safe. Sends `payload` in the control lane of `target`. False: the loop
// has ended. Sent from a loop, it stays in order with the loop's other sends.
template <typename T>
bool SendControl(BusState& bus, ActorId target, T payload) {
  constexpr size_t kBytes = Envelope::BytesFor<T>();
  Loop* loop = Loop::Current();
  if (loop != nullptr && &loop->bus() == &bus) {
    MessageRouter& router = loop->router();
    router.Send(ControlEnvelope(router.NewEnvelope(kBytes), target,
                                std::move(payload)));
    return true;
  }
  EnvelopePtr e(ControlEnvelope(EnvelopePool::GetFromHeap(kBytes), target,
                                std::move(payload)));
  if (!bus.inbox(target.loop()).Deliver(e.get(), e.get())) return false;
  (void)e.release();
  return true;
}

}  // namespace trolley::internal

#endif  // TROLLEY_BUS_LOOP_SEND_CONTROL_H_
