// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/address.h"

#include "trolley/bus/send_control.h"

namespace trolley {

Delivery Address::Stop(bool drain) const {
  if (!id_) return Delivery::kGone;
  LoopPort& port = bus_->port(id_.loop());
  if (port.cells.Find(id_.slot())->credits.generation() != id_.generation()) {
    return Delivery::kGone;
  }
  return SendControl(*bus_, id_, StopRequest{.drain = drain})
             ? Delivery::kAccepted
             : Delivery::kGone;
}

}  // namespace trolley
