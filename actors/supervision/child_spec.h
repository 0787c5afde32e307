// SPDX-License-Identifier: Apache-2.0
//
// ChildSpec: how a Supervisor makes and treats one child. Child<A>() makes it,
// from options and from what each new A is made of:
//
//   Child<Pool>({.name = "pool", .loop = 1}, dsn, 8)   // Pool(dsn, 8)
//   Child<Pool>({.name = "pool"}, [dsn] {              // or a factory
//     return std::make_unique<Pool>(dsn, 8);
//   })
//   Child<Supervisor>({.name = "db"}, options, specs)  // a tree
//
// Ownership: a value. It keeps the arguments or the factory.
// Threads:   the loop of the child copies the arguments, or calls the factory,
//            for each start. So they must be safe to use there.
// Bounds:    none.
// Ends:      does not end.

#ifndef TROLLEY_ACTORS_SUPERVISION_CHILD_SPEC_H_
#define TROLLEY_ACTORS_SUPERVISION_CHILD_SPEC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/ref.h"
#include "trolley/actors/seat.h"
#include "trolley/actors/supervision/internal/seat_owner.h"
#include "trolley/bus/options.h"

namespace trolley {

// When a supervisor restarts a child that it did not stop itself:
//
//                the child threw, or its   it was stopped or
//                start failed, or its      drained, by itself or
//                loop has ended            by others
//   kAlways      yes                       yes
//   kOnFailure   yes                       no
//   kNever       no                        no
enum class Restart : uint8_t { kAlways, kOnFailure, kNever };

struct ChildOptions {
  // At least 1 byte of [a-z0-9_./-], unique among the children. The actor has
  // the name of the supervisor before it, as in "app/db/pool". If the
  // supervisor has no name, the actor has just this one.
  std::string name = "";
  // As in SpawnOptions; kAnyLoop is the loop of the supervisor.
  int loop = SpawnOptions::kAnyLoop;
  // These four as in SpawnOptions.
  uint32_t mailbox_capacity = 1024;
  uint32_t urgent_reserve = 0;
  uint64_t mailbox_bytes = 0;
  Overflow overflow = Overflow::kRefuse;
  // kAlways: most children serve as long as the program runs.
  Restart restart = Restart::kAlways;
  // What becomes of the messages that wait when the child ends and is started
  // again. True: the next object handles them. False: they are dead letters,
  // and so are those that come before the supervisor has learned of the end.
  // The messages to a Supervisor are dead letters in any case.
  bool keep_mailbox = true;
  // The supervisor lets the child handle its mailbox first. It stops it hard
  // after this time. 0: hard at once. 5 s: as in Erlang/OTP. Give a Supervisor
  // as long as its own children need together.
  absl::Duration stop_within = absl::Seconds(5);
};

// Those of the actor `name` that is this child.
SpawnOptions SpawnOptionsOf(const ChildOptions& options, std::string name);

struct ChildSpec {
  ChildOptions options;

  // Child() sets the rest. Reserves the seat of a child.
  std::function<absl::StatusOr<Seat>(const Ref<internal::SeatOwner>&,
                                     const SpawnOptions&)>
      reserve;
  // It stops its own children before it ends.
  bool is_supervisor = false;
};

// OK, or InvalidArgument: the text names the child and what is wrong with it.
absl::Status ValidateChild(const ChildSpec& child);
// The same for all of them; and two children of one name are InvalidArgument.
absl::Status ValidateChildren(const std::vector<ChildSpec>& children);

// A child whose objects `make` makes. It is called for each start and returns
// a std::unique_ptr<A>. If it throws or returns null, that start has failed.
template <typename A, typename Make>
requires(std::is_invocable_r_v<std::unique_ptr<A>, const Make&>)  //
    ChildSpec Child(ChildOptions options, Make make) {
  constexpr bool kIsSupervisor = std::is_base_of_v<internal::SeatOwner, A>;
  std::function<std::unique_ptr<A>()> factory = [make = std::move(make)] {
    std::unique_ptr<A> actor = make();
    if constexpr (kIsSupervisor) {
      if (actor != nullptr) actor->BeChild();
    }
    return actor;
  };
  return {
      .options = std::move(options),
      .reserve =
          [factory = std::move(factory)](const Ref<internal::SeatOwner>& owner,
                                         const SpawnOptions& spawn) {
            return Seat::Reserve<A>(owner, spawn, factory);
          },
      .is_supervisor = kIsSupervisor};
}

// A child whose objects are A(args...), made from copies of `args`.
template <typename A, typename... Args>
requires(std::is_constructible_v<A, const Args&...>)  //
    ChildSpec Child(ChildOptions options, Args... args) {
  return Child<A>(std::move(options), [... args = std::move(args)] {
    return std::make_unique<A>(args...);
  });
}

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SUPERVISION_CHILD_SPEC_H_
