// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/actor_pages.h"

#include <algorithm>
#include <memory>

#include "trolley/bus/loop/info_of.h"

namespace trolley::internal {
namespace {

// Goes from loop to loop until the page is full. The destructor delivers the
// page, also when a loop ends and drops the walk.
class PageWalk : public std::enable_shared_from_this<PageWalk> {
 public:
  PageWalk(BusState::Ptr bus, ActorPosition from, uint32_t most,
           std::function<void(ActorPage)> done)
      : bus_(std::move(bus)), at_(from), most_(most), done_(std::move(done)) {
    // Reserves for some more actors than there are: to grow a large vector
    // later would be a long step.
    const uint64_t now = bus_->CountActors();
    page_.actors.reserve(std::min<uint64_t>(most_, now + now / 8 + 64));
  }
  ~PageWalk() { done_(std::move(page_)); }

  // Goes to the loop of `at_`, or to the next one that has not ended.
  void GoOn() {
    for (; at_.loop < bus_->loops(); at_ = {.loop = at_.loop + 1}) {
      // Actors that come later in slots behind this are not listed: the walk
      // might never end otherwise.
      end_ = bus_->inbox(at_.loop).cells.used();
      if (Loop::PostWork(bus_->inbox(at_.loop),
                         [self = shared_from_this()](Loop& loop) {
                           return self->Step(loop);
                         })) {
        return;
      }
    }
  }

 private:
  bool Step(Loop& loop) {
    const bool more = VisitActors(loop, at_.slot, end_, [&](Cell& cell) {
      page_.actors.push_back(InfoOf(cell, loop.inbox()));
      return page_.actors.size() < most_;
    });
    if (page_.actors.size() == most_) {
      if (more || at_.loop + 1 < bus_->loops()) page_.next = at_;
      return false;
    }
    if (more) return true;
    at_ = {.loop = at_.loop + 1};
    GoOn();
    return false;
  }

  const BusState::Ptr bus_;
  ActorPosition at_;
  uint32_t end_ = 0;  // the slot to end at, on that loop
  const uint32_t most_;
  const std::function<void(ActorPage)> done_;
  ActorPage page_;
};

}  // namespace

void GetActorPage(BusState::Ptr bus, ActorPosition from, uint32_t most,
                  std::function<void(ActorPage)> done) {
  std::make_shared<PageWalk>(std::move(bus), from, most, std::move(done))
      ->GoOn();
}

}  // namespace trolley::internal
