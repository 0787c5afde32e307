// SPDX-License-Identifier: Apache-2.0
//
// SendControl: how a message gets into an actor's control lane, from any
// thread. Inside bus/ and actors/ only; users call Address::Stop and the like.

#ifndef TROLLEY_BUS_SEND_CONTROL_H_
#define TROLLEY_BUS_SEND_CONTROL_H_

#include <utility>

#include "trolley/bus/control_messages.h"
#include "trolley/bus/loop.h"

namespace trolley {

// Any thread. Sends `payload` by the control lane of `target`; false if its
// loop has ended. From a loop it keeps its order with the loop's other sends.
template <typename T>
bool SendControl(BusState& bus, ActorId target, T payload) {
  Loop* loop = Loop::Current();
  if (loop != nullptr && &loop->bus() == &bus) {
    loop->Send(ControlEnvelope(loop->NewEnvelope(Envelope::BytesFor<T>()),
                               target, std::move(payload)));
    return true;
  }
  Envelope* e =
      ControlEnvelope(EnvelopePool::GetFromHeap(Envelope::BytesFor<T>()),
                      target, std::move(payload));
  if (bus.port(target.loop()).Deliver(e, e)) return true;
  e->type->drop(e);
  EnvelopePool::PutToHeap(e);
  return false;
}

}  // namespace trolley

#endif  // TROLLEY_BUS_SEND_CONTROL_H_
