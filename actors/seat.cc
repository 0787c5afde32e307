// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/seat.h"

#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/internal/misuse.h"
#include "trolley/actors/internal/outgoing_message.h"
#include "trolley/bus/loop/pending_spawn.h"
#include "trolley/bus/loop/send_control.h"

namespace trolley {
namespace {

internal::MadeActor MakeObject(ActorId seat, internal::SeatTypes& types) {
  const SpawnOptions options;
  internal::PendingSpawn spawn(*internal::Loop::Current(), seat, options,
                               types.actor_class);
  std::unique_ptr<internal::ActorBase> actor = types.make();
  if (actor == nullptr) {
    internal::ThrowMisuse("the factory of a seat returned no actor");
  }
  internal::ActorAccess::construction(*actor) = nullptr;
  return {.actor = std::move(actor), .early = spawn.TakeRequests()};
}

}  // namespace

absl::StatusOr<Seat> Seat::Reserve(const Address& owner,
                                   const SpawnOptions& options,
                                   internal::SeatTypes types) {
  if (!owner) {
    return absl::InvalidArgumentError(
        "Seat::Reserve needs an owner, and this Ref is empty");
  }
  const auto bus = internal::BusState::Ptr::Share(owner.bus());
  internal::PendingSpawn spawn(bus, options, types.actor_class);
  if (!spawn.ok()) return spawn.status();
  auto forgotten = std::make_shared<internal::Forgotten>(false);
  auto record = std::make_unique<internal::SeatRecord>();
  record->tell = [owner, seat = spawn.address(), taken = types.taken,
                  empty = types.empty,
                  forgotten](const internal::SeatEvent& event) {
    if (event.taken) {
      internal::SendNotice(owner, taken,
                           SeatTaken{.seat = seat, .round = event.round},
                           forgotten);
    } else {
      internal::SendNotice(owner, empty,
                           SeatEmpty{.seat = seat,
                                     .name = seat.ToString(),
                                     .round = event.round,
                                     .reason = event.reason},
                           forgotten);
    }
  };
  record->make = [types = std::move(types)](ActorId seat) mutable {
    return MakeObject(seat, types);
  };
  if (!spawn.FinishSeat(std::move(record))) return spawn.status();
  return Seat(spawn.address(), std::move(forgotten));
}

Seat& Seat::operator=(Seat&& other) noexcept {
  if (this == &other) return *this;
  Close();
  address_ = std::move(other.address_);
  rounds_ = other.rounds_;
  forgotten_ = std::move(other.forgotten_);
  return *this;
}

uint64_t Seat::Fill() {
  if (forgotten_ == nullptr) return 0;
  internal::SendControl(*address_.bus(), address_.id(),
                        internal::FillRequest{.round = ++rounds_});
  return rounds_;
}

void Seat::Vacate(bool drain) {
  if (forgotten_ != nullptr) (void)address_.Stop(drain);
}

void Seat::DropMessages() {
  if (forgotten_ == nullptr) return;
  internal::SendControl(*address_.bus(), address_.id(),
                        internal::DropMessagesRequest());
}

// True: the running actor, which owns the seat, ends. If its bus or its loop
// ends, so does the actor in the seat, and for the same reason.
bool Seat::OwnerEnds() const {
  const internal::Loop* loop = internal::LoopOf(address_.bus());
  const internal::Cell* owner =
      loop != nullptr ? loop->current().cell : nullptr;
  if (owner == nullptr) return false;
  const ExitReason::Kind why = owner->exit_of(owner->self.generation());
  return why == ExitReason::Kind::kStopped ||
         why == ExitReason::Kind::kDrained ||
         why == ExitReason::Kind::kFailed ||
         why == ExitReason::Kind::kOwnerEnded;
}

void Seat::Close() {
  if (forgotten_ == nullptr) return;
  forgotten_->store(true);
  forgotten_.reset();
  internal::SendControl(*address_.bus(), address_.id(),
                        internal::CloseSeatRequest{.owner_ended = OwnerEnds()});
}

}  // namespace trolley
