// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/address.h"

#include <atomic>
#include <utility>

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

namespace {

// A callback on its way to the loop of its actor. A loop that has ended drops
// what it is sent: then the destructor calls the callback, because the actor
// has ended, too.
class EndCallback {
 public:
  EndCallback(internal::BusState::Ptr bus, ActorId of,
              internal::EndWatchers::Told told)
      : bus_(std::move(bus)), of_(of), told_(std::move(told)) {}
  EndCallback(EndCallback&& other) noexcept
      : bus_(std::move(other.bus_)),
        of_(other.of_),
        told_(std::exchange(other.told_, nullptr)) {}
  ~EndCallback() {
    if (told_ != nullptr) told_({.reason = bus_->ExitOf(of_), .last = {}});
  }

  // The loop has it, and sees to the rest.
  internal::EndWatchers::Told Arrive() && {
    return std::exchange(told_, nullptr);
  }

 private:
  internal::BusState::Ptr bus_;
  ActorId of_;
  internal::EndWatchers::Told told_;
};

}  // namespace

EndWatch Address::WhenEnded(std::function<void(const ActorEnd&)> told) const {
  static std::atomic<uint64_t> last_watch{0};
  const EndWatch watch{.id = ++last_watch};
  if (!id_) {
    told({});
    return watch;
  }
  internal::Loop::Post(
      bus_->inbox(id_.loop()),
      [of = id_, watch, callback = EndCallback(bus_, id_, std::move(told))](
          internal::Loop& loop) mutable {
        loop.lifecycle().WhenEnded(of, watch.id, std::move(callback).Arrive());
      });
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
