// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/supervision/internal/child_table.h"

#include <algorithm>
#include <utility>

namespace trolley::internal {
namespace {

template <typename Map, typename Key>
SupervisedChild* FindIn(const Map& map, const Key& key) {
  const auto at = map.find(key);
  return at != map.end() ? at->second : nullptr;
}

}  // namespace

size_t ChildTable::IndexOf(const SupervisedChild& child) const {
  const auto at =
      std::find_if(children_.begin(), children_.end(),
                   [&](const auto& other) { return other.get() == &child; });
  return at - children_.begin();
}

size_t ChildTable::FirstAfter(uint64_t id) const {
  const auto at = std::upper_bound(
      children_.begin(), children_.end(), id,
      [](uint64_t id, const auto& child) { return id < child->id; });
  return at - children_.begin();
}

SupervisedChild* ChildTable::FindByName(absl::string_view name) const {
  for (const auto& child : children_) {
    if (child->spec.options.name == name) return child.get();
  }
  return nullptr;
}

SupervisedChild* ChildTable::FindById(uint64_t id) const {
  return FindIn(by_id_, id);
}

SupervisedChild* ChildTable::FindBySeat(const Address& seat) const {
  return FindIn(by_seat_, seat);
}

SupervisedChild& ChildTable::Add(ChildSpec spec, bool listed) {
  children_.push_back(
      std::make_unique<SupervisedChild>(++last_id_, std::move(spec), listed));
  by_id_[last_id_] = children_.back().get();
  return *children_.back();
}

void ChildTable::Remove(SupervisedChild& child) {
  by_id_.erase(child.id);
  children_.erase(children_.begin() + IndexOf(child));
}

void ChildTable::SetSeat(SupervisedChild& child, Seat seat, Watch watch) {
  child.seat = std::move(seat);
  child.watch = std::move(watch);
  by_seat_[child.seat.address()] = &child;
}

void ChildTable::ClearSeat(SupervisedChild& child) {
  by_seat_.erase(child.seat.address());
  child.watch = Watch();
  child.seat = Seat();
  child.closed = false;
}

}  // namespace trolley::internal
