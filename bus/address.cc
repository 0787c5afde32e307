// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/address.h"

#include <atomic>
#include <utility>

#include "trolley/bus/loop/actor_requests.h"
#include "trolley/bus/loop/send_control.h"

namespace trolley {

Delivery Address::Stop(bool drain) const {
  if (!id_) return Delivery::kGone;
  if (bus_->cells().Find(id_).credits.generation() != id_.generation()) {
    return Delivery::kGone;
  }
  return internal::SendControl(*bus_, id_,
                               internal::StopRequest{.drain = drain})
             ? Delivery::kAccepted
             : Delivery::kGone;
}

EndWatch Address::WhenEnded(std::function<void(const ActorEnd&)> told) const {
  static std::atomic<uint64_t> last_watch{0};
  const EndWatch watch{.id = ++last_watch};
  if (!id_) {
    told({});
    return watch;
  }
  internal::Loop::Post(bus_->inbox(id_.loop()), id_,
                       internal::WatchRequest{.watch = watch.id,
                                              .callback = internal::EndCallback(
                                                  bus_, id_, std::move(told))});
  return watch;
}

void Address::ForgetWhenEnded(EndWatch watch) const {
  if (!id_) return;
  internal::Loop::Post(bus_->inbox(id_.loop()),
                       [of = id_, watch](internal::Loop& loop) {
                         loop.lifecycle().ForgetWhenEnded(of, watch.id);
                       });
}

}  // namespace trolley
