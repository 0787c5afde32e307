// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/loop/pending_spawn.h"

#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/loop/send_control.h"

namespace trolley::internal {
namespace {

Loop* CurrentLoopOf(const BusState& bus) {
  Loop* current = Loop::Current();
  return current != nullptr && &current->bus() == &bus ? current : nullptr;
}

absl::Status LoopHasEnded(const BusState& bus, uint32_t loop) {
  return absl::UnavailableError(absl::StrCat(
      "loop ", loop, " has ended",
      bus.draining() ? "; the bus is shutting down" : ": its poller broke"));
}

// Most spawns have such options, which need no further look.
bool IsPlain(const SpawnOptions& options) {
  return options.mailbox_capacity - 1u < SpawnOptions::kMostMailboxCapacity &&
         options.urgent_reserve == 0 && options.mailbox_bytes == 0 &&
         options.overflow == Overflow::kRefuse && options.name.empty() &&
         options.loop == SpawnOptions::kAnyLoop;
}

void OpenBudget(SlotTable<ByteBudget>& budgets, uint32_t slot,
                const SpawnOptions& options) {
  if (options.mailbox_bytes == 0) {
    ByteBudget* of_another = budgets.Find(slot);
    if (of_another != nullptr) of_another->Open(0, {});
    return;
  }
  budgets.Make(slot).Open(options.mailbox_bytes,
                          options.overflow == Overflow::kDropOldest
                              ? ByteBudget::Beyond::kTaken
                              : ByteBudget::Beyond::kRefused);
}

}  // namespace

// Inline: each spawn calls it.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline absl::Status PendingSpawn::Reserve(
    const PendingSpawn* parent) {
  if (current_loop_ == nullptr && bus_->draining()) {
    return absl::UnavailableError("the bus is shutting down");
  }
  if (!IsPlain(options_)) {
    if (absl::Status valid = Validate(); !valid.ok()) return valid;
  }
  const uint32_t index = ChooseLoop(parent);
  LoopInbox& inbox = bus_->inbox(index);
  if (current_loop_ != nullptr && current_loop_->index() == index) {
    loop_ = current_loop_;
  } else {
    other_loop_ = std::static_pointer_cast<Loop>(inbox.loop.lock());
    loop_ = other_loop_.get();
  }
  // If actors could spawn while their loop ends, it might never end.
  if (loop_ == nullptr || inbox.ended()) return LoopHasEnded(*bus_, index);

  CellTable& cells = inbox.cells;
  uint32_t generation = 0;
  Cell* cell =
      local() ? cells.AllocateLocal(&generation) : cells.Allocate(&generation);
  if (cell == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("loop ", index,
                     " has as many actors as its "
                     "LoopOptions::max_actors allows"));
  }
  id_ = ActorId(index, cell->slot, generation);
  // Before the name: from then on a sender may know the id.
  const uint32_t granted = local() ? LocalCredits::Granted(options_) : 0;
  cell->credits.Open(generation, CreditsFor(options_) - granted,
                     options_.urgent_reserve);
  OpenBudget(inbox.byte_budgets, cell->slot, options_);
  if (actor_class_->leaves_by != nullptr) bus_->ClearLink(id_);
  if (!options_.name.empty()) {
    if (absl::Status named =
            bus_->names().Add(options_.name, id_, actor_class_);
        !named.ok()) {
      cell->credits.Open(generation, 0);
      cells.Abandon(cell);
      return named;
    }
  }
  cell_ = cell;
  return absl::OkStatus();
}

PendingSpawn::PendingSpawn(const BusState::Ptr& bus,
                           const SpawnOptions& options,
                           const ActorClass* actor_class,
                           const PendingSpawn* parent)
    : bus_(bus),
      options_(options),
      actor_class_(actor_class),
      current_loop_(CurrentLoopOf(*bus)),
      status_(Reserve(parent)) {
  if (status_.ok()) BeginConstruction();
}

PendingSpawn::PendingSpawn(Loop& loop, ActorId id, const SpawnOptions& options,
                           const ActorClass* actor_class)
    : bus_(loop.bus_pointer()),
      options_(options),
      actor_class_(actor_class),
      current_loop_(&loop),
      loop_(&loop),
      id_(id) {
  BeginConstruction();
}

inline void PendingSpawn::BeginConstruction() {
  constructs_ = true;
  outer_ = std::exchange(Construction::next, this);
  // The new actor is the sender of what its constructor sends. It has no
  // message in hand, and cannot await.
  if (current_loop_ != nullptr) {
    activation_ =
        std::exchange(current_loop_->router().current(), {.self = id_});
  }
}

absl::Status PendingSpawn::Validate() const {
  if (absl::Status valid = ValidateMailbox(options_); !valid.ok()) return valid;
  if (!options_.name.empty()) {
    if (absl::Status named = ValidateActorName(options_.name); !named.ok()) {
      return named;
    }
  }
  if (options_.loop != SpawnOptions::kAnyLoop &&
      (options_.loop < 0 || options_.loop >= static_cast<int>(bus_->loops()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("SpawnOptions::loop is ", options_.loop,
                     "; there is no such loop: this bus has ", bus_->loops(),
                     ", counted from 0"));
  }
  return absl::OkStatus();
}

uint32_t PendingSpawn::ChooseLoop(const PendingSpawn* parent) const {
  if (options_.loop != SpawnOptions::kAnyLoop) return options_.loop;
  if (parent != nullptr) return parent->loop_->index();
  return current_loop_ != nullptr ? current_loop_->index() : bus_->NextLoop();
}

// The constructor has ended. Returns the place of the actor among all starts.
inline uint64_t PendingSpawn::Constructed(ActorBase& actor) {
  ActorAccess::construction(actor) = nullptr;
  if (actor_class_->leaves_by != nullptr) {
    bus_->LeadOver(id_, actor_class_->leaves_by(actor));
  }
  return bus_->NextStartSequence();
}

inline void PendingSpawn::EndConstruction() {
  constructs_ = false;
  Construction::next = outer_;
  if (current_loop_ != nullptr) {
    current_loop_->router().current() = activation_;
  }
}

bool PendingSpawn::Finish(std::unique_ptr<ActorBase> actor) {
  if (!local()) return SendToLoop(std::move(actor), nullptr);
  const uint64_t sequence = Constructed(*actor);
  Cell& cell = *std::exchange(cell_, nullptr);
  loop_->lifecycle().Adopt(cell, std::move(actor), *actor_class_, options_,
                           sequence, std::move(requests_));
  loop_->router().local_credits().Grant(cell, options_);
  EndConstruction();
  return true;
}

bool PendingSpawn::FinishSeat(std::unique_ptr<SeatRecord> seat) {
  if (!local()) {
    return SendToLoop(std::make_unique<EmptySeat>(), std::move(seat));
  }
  Cell& cell = *cell_;
  const bool finished = Finish(std::make_unique<EmptySeat>());
  loop_->lifecycle().MakeSeat(cell, std::move(seat));
  return finished;
}

bool PendingSpawn::SendToLoop(std::unique_ptr<ActorBase> actor,
                              std::unique_ptr<SeatRecord> seat) {
  cell_ = nullptr;
  const uint64_t sequence = Constructed(*actor);
  const bool sent =
      SendControl(*bus_, id_,
                  SpawnRequest{.reservation = Reservation(*bus_, id_),
                               .actor = std::move(actor),
                               .actor_class = actor_class_,
                               .options = options_,
                               .start_sequence = sequence,
                               .early = std::move(requests_),
                               .seat = std::move(seat)});
  if (!sent) status_ = LoopHasEnded(*bus_, id_.loop());
  EndConstruction();
  return sent;
}

// The constructor threw. Messages may have come for the actor, so its loop
// frees the cell. Of the object of a seat only the construction ends.
void PendingSpawn::Abandon() {
  EndConstruction();
  if (cell_ == nullptr) return;
  constexpr auto kFailed = ExitReason::Kind::kFailed;
  bus_->exit_records().Add(
      id_, options_.name,
      {.kind = kFailed, .error = absl::InternalError("its constructor threw")});
  if (!options_.name.empty()) bus_->names().Remove(options_.name, id_);
  if (local()) {
    loop_->lifecycle().Abandon(*cell_, id_, kFailed);
  } else {
    SendControl(*bus_, id_, AbandonRequest{Reservation(*bus_, id_)});
  }
}

}  // namespace trolley::internal
