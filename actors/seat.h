// SPDX-License-Identifier: Apache-2.0
//
// Seat: the place of an actor. It has the actor's address, name and mailbox,
// and it outlives the objects that sit in it, one after the other. A Ref to a
// seat follows its restarts. A supervisor is built on this
// (actors/supervision/supervisor.h).
//
//   class Keeper : public trolley::Actor {
//    public:
//     void OnStart() override {
//       seat_ = *trolley::Seat::Reserve<Worker>(
//           Self(this), {.name = "worker"},
//           [] { return std::make_unique<Worker>(); });
//       seat_.Fill();
//     }
//     void On(const trolley::SeatTaken&) {}  // the worker has started
//     void On(const trolley::SeatEmpty& m) {
//       if (m.reason.kind == trolley::ExitReason::Kind::kFailed) seat_.Fill();
//     }
//    private:
//     trolley::Seat seat_;
//   };
//
// A seat is empty at first. What happens to it:
//
//   Fill()                       the factory makes an object, on the loop of
//                                the seat
//   its OnStart() has returned   the owner gets SeatTaken; with OnStartTask()
//                                (see below) when that has finished
//   the object ends, for any     the owner gets SeatEmpty; its timers and
//   reason                       coroutines have ended, its destructor returned
//   the factory, the             the owner gets SeatEmpty, with kFailed
//   constructor or OnStart()
//   throws
//   Close(), ~Seat(), the end    the object ends; then the seat ends as any
//   of the bus or of the loop    actor does: its name is free, watchers get
//                                Down
//
// While the seat is empty, messages wait in its mailbox, up to its capacity,
// and asks expire at their deadlines. A message that an object had begun to
// handle is not handled again; its ask fails. Watchers of the seat hear nothing
// of a restart. Address::Stop() of the seat ends the object, and not the seat.
//
// OnStartTask(): if the class of an actor has this public member, it runs after
// OnStart(), in a seat or not. The actor handles its first message when it has
// finished; one that is interleaved handles messages meanwhile. An error ends
// the actor as an exception does.
//
//   Task<absl::Status> OnStartTask() { co_return co_await Connect(); }
//
// Ownership: the owner, an actor, has it as a member.
// Threads:   loop thread of the owner only. The factory is called on the loop
//            of the seat, so what it captures must be safe to use there.
// Bounds:    one actor of LoopOptions::max_actors. For each Fill() a SeatTaken
//            and a SeatEmpty, which a full mailbox of the owner does not
//            refuse.
// Ends:      Close() or the destructor.

#ifndef TROLLEY_ACTORS_SEAT_H_
#define TROLLEY_ACTORS_SEAT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "trolley/actors/internal/actor_class_of.h"
#include "trolley/actors/internal/notice.h"
#include "trolley/actors/ref.h"
#include "trolley/bus/address.h"
#include "trolley/bus/exit_reason.h"
#include "trolley/bus/loop/seat_record.h"
#include "trolley/bus/options.h"

namespace trolley {

// To the owner: the object that Fill() number `round` made has started.
struct SeatTaken {
  Address seat;
  uint64_t round = 0;
};

// To the owner: there is no object in the seat. One comes for each object, and
// for each Fill() that could not make one.
struct SeatEmpty {
  Address seat;
  std::string name;    // as Address::ToString()
  uint64_t round = 0;  // of the object; 0: none has sat here
  ExitReason reason;   // why the object ended
};

namespace internal {

// What Seat::Reserve<A> knows of A and of the class of the owner.
struct SeatTypes {
  const ActorClass* actor_class;
  const MessageOps* taken;  // notices of SeatTaken and of SeatEmpty
  const MessageOps* empty;
  absl::AnyInvocable<std::unique_ptr<ActorBase>()> make;
};

}  // namespace internal

class [[nodiscard]] Seat {
 public:
  Seat() = default;  // no seat
  // Reserves a seat, which is empty. `owner` has handlers of SeatTaken and of
  // SeatEmpty. `make` returns a new actor of class A for each Fill(); a null
  // counts as an exception. Errors: as Bus::Spawn, and InvalidArgument if
  // `owner` is empty.
  template <typename A, typename Owner>
  static absl::StatusOr<Seat> Reserve(
      const Ref<Owner>& owner, const SpawnOptions& options,
      std::type_identity_t<std::function<std::unique_ptr<A>()>> make) {
    static_assert(std::is_base_of_v<internal::ActorBase, A>,
                  "only an actor sits in a seat: derive A from trolley::Actor");
    static_assert(!internal::kLeadsOverALink<A>,
                  "a Remote cannot sit in a seat; it has nothing to restart");
    static_assert(sizeof(internal::ActorHandles<Owner, SeatTaken>) > 0);
    static_assert(sizeof(internal::ActorHandles<Owner, SeatEmpty>) > 0);
    return Reserve(
        owner.address(), options,
        {.actor_class = internal::ActorClassOf<A>(),
         .taken = &internal::NoticeHandler<Owner, SeatTaken>::kOps,
         .empty = &internal::NoticeHandler<Owner, SeatEmpty>::kOps,
         .make = [make = std::move(make)]()
             -> std::unique_ptr<internal::ActorBase> { return make(); }});
  }
  Seat(Seat&& other) noexcept = default;
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { Close(); }

  // True: there is a seat.
  explicit operator bool() const { return forgotten_ != nullptr; }
  // Ref<A>(seat.address()) is the Ref of the actors that sit here. Still valid
  // after Close().
  const Address& address() const { return address_; }

  // Makes an object. Returns the number of this call, from 1 on, which its
  // SeatTaken and SeatEmpty have as `round`. Without effect, and 0: there is no
  // seat. If an object sits there, the new one is made after it has ended; of
  // several such calls the last one counts.
  uint64_t Fill();
  // Ends the object, as Address::Stop() does. SeatEmpty follows. With `drain`
  // it first handles its mailbox, which still takes messages; a second call
  // without `drain` ends it at once. Without effect if the seat is empty.
  void Vacate(bool drain = false);
  // Dead-letters the messages that wait in the mailbox now. Asks fail.
  void DropMessages();
  // Ends the object and the seat. No SeatEmpty and no SeatTaken come from then
  // on.
  void Close();

 private:
  Seat(Address address, std::shared_ptr<internal::Forgotten> forgotten)
      : address_(std::move(address)), forgotten_(std::move(forgotten)) {}
  static absl::StatusOr<Seat> Reserve(const Address& owner,
                                      const SpawnOptions& options,
                                      internal::SeatTypes types);
  bool OwnerEnds() const;

  Address address_;
  uint64_t rounds_ = 0;
  std::shared_ptr<internal::Forgotten> forgotten_;  // null: there is no seat
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_SEAT_H_
