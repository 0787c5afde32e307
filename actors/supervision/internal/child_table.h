// SPDX-License-Identifier: Apache-2.0
//
// ChildTable: the children of a supervisor, in the order of their start. They
// are found by their place, name, number or seat.
//
//   SupervisedChild& child = table.Add(spec, /*listed=*/true);
//   table.SetSeat(child, std::move(seat), std::move(watch));
//   SupervisedChild* same = table.FindBySeat(child.seat.address());
//
// Ownership: a member of the supervisor; it owns the children.
// Threads:   loop thread only.
// Bounds:    SupervisorOptions::max_children.
// Ends:      with the supervisor, which closes the seats before.

#ifndef TROLLEY_ACTORS_SUPERVISION_INTERNAL_CHILD_TABLE_H_
#define TROLLEY_ACTORS_SUPERVISION_INTERNAL_CHILD_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/supervision/child_info.h"
#include "trolley/actors/supervision/child_spec.h"
#include "trolley/actors/supervision/internal/restart_delay.h"
#include "trolley/actors/watch.h"
#include "trolley/bus/exit_reason.h"

namespace trolley::internal {

// What an ask waits for: that a child is up, or that it has ended.
struct ChildOperation {
  const bool to_be_up;
  std::optional<absl::Status> result;
  AsyncCondition done;  // notified when there is a result
};

// The purpose of the timer of a child.
enum class ChildTimer : uint8_t {
  kNone,
  kStart,        // its backoff is over
  kFailedStart,  // its seat could not be reserved; last_exit says why
  kHardStop,     // stop_within is over
  kGiveUp,       // the patience is over
};

struct SupervisedChild {
  SupervisedChild(uint64_t id_of_it, ChildSpec spec_of_it, bool is_listed)
      : id(id_of_it), spec(std::move(spec_of_it)), listed(is_listed) {}

  const uint64_t id;  // never used again
  const ChildSpec spec;
  const bool listed;  // by the constructor of the supervisor

  ChildState state = ChildState::kWaiting;
  Seat seat;
  Watch watch;          // of the seat
  uint64_t round = 0;   // of the last Fill()
  uint64_t starts = 0;  // calls of Fill(), for all seats
  bool was_up = false;
  bool ends_for_good = false;  // its seat is closed when it has ended
  bool closed = false;         // the seat is; its Down will come
  RestartDelay delay;
  ExitReason last_exit;
  std::shared_ptr<ChildOperation> operation;  // null: none is under way

  ChildTimer timer = ChildTimer::kNone;
  TimerId timer_id;
  uint64_t timer_serial = 0;  // an older message is out of date
};

class ChildTable {
 public:
  size_t size() const { return children_.size(); }
  SupervisedChild& operator[](size_t index) const { return *children_[index]; }
  size_t IndexOf(const SupervisedChild& child) const;
  // The index of the first child whose id is above `id`; size(): there is none.
  // Ids grow in the order of the table.
  size_t FirstAfter(uint64_t id) const;

  // Null: there is none.
  SupervisedChild* FindByName(absl::string_view name) const;
  SupervisedChild* FindById(uint64_t id) const;
  SupervisedChild* FindBySeat(const Address& seat) const;

  // Adds a child at the end.
  SupervisedChild& Add(ChildSpec spec, bool listed);
  // Destroys a child that has no seat.
  void Remove(SupervisedChild& child);

  void SetSeat(SupervisedChild& child, Seat seat, Watch watch);
  // The child has no seat from now on.
  void ClearSeat(SupervisedChild& child);

 private:
  std::vector<std::unique_ptr<SupervisedChild>> children_;
  absl::flat_hash_map<uint64_t, SupervisedChild*> by_id_;
  absl::flat_hash_map<Address, SupervisedChild*> by_seat_;
  uint64_t last_id_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_SUPERVISION_INTERNAL_CHILD_TABLE_H_
