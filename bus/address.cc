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
  return SendControl(*bus_, id_, StopRequest{.drain = drain})
             ? Delivery::kAccepted
             : Delivery::kGone;
}

namespace {

// A callback that is called once. A loop that ends destroys it: then the
// destructor calls it if the actor has ended. If the callback was taken back,
// the actor has not ended, and it is not called.
class EndCallback {
 public:
  EndCallback(BusState::Ptr bus, ActorId of,
              std::function<void(const ActorEnd&)> told)
      : bus_(std::move(bus)), of_(of), told_(std::move(told)) {}
  EndCallback(EndCallback&& other) noexcept
      : bus_(std::move(other.bus_)),
        of_(other.of_),
        told_(std::exchange(other.told_, nullptr)) {}
  ~EndCallback() {
    if (told_ == nullptr) return;
    const ActorEnd end{.reason = bus_->ExitOf(of_), .last = {}};
    if (end.reason.kind != ExitReason::Kind::kUnknown) told_(end);
  }

  void operator()(const ActorEnd& end) { std::exchange(told_, nullptr)(end); }

 private:
  BusState::Ptr bus_;
  ActorId of_;
  std::function<void(const ActorEnd&)> told_;
};

}  // namespace

EndWatch Address::WhenEnded(std::function<void(const ActorEnd&)> told) const {
  static std::atomic<uint64_t> last_watch{0};
  const EndWatch watch{.id = ++last_watch};
  if (!id_) {
    told({});
    return watch;
  }
  Loop::Post(
      bus_->inbox(id_.loop()),
      [of = id_, watch,
       callback = EndCallback(bus_, id_, std::move(told))](Loop& loop) mutable {
        loop.lifecycle().WhenEnded(of, watch.id, std::move(callback));
      });
  return watch;
}

void Address::ForgetWhenEnded(EndWatch watch) const {
  if (!id_) return;
  Loop::Post(bus_->inbox(id_.loop()), [of = id_, watch](Loop& loop) {
    loop.lifecycle().ForgetWhenEnded(of, watch.id);
  });
}

}  // namespace trolley
