// SPDX-License-Identifier: Apache-2.0

#include "trolley/bus/spawn.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/bus/loop.h"
#include "trolley/bus/send_control.h"

namespace trolley {
namespace {

absl::StatusOr<uint32_t> ChooseLoop(BusState& bus, const SpawnOptions& options,
                                    Loop* current) {
  if (options.loop == SpawnOptions::kAnyLoop) {
    return current != nullptr ? current->index() : bus.NextLoop();
  }
  if (options.loop < 0 || options.loop >= static_cast<int>(bus.loops())) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no loop ", options.loop, "; this bus has ",
                     bus.loops(), ", counted from 0"));
  }
  return options.loop;
}

}  // namespace

absl::StatusOr<Address> SpawnActor(const BusState::Ptr& bus,
                                   const SpawnOptions& options,
                                   const ActorClass* actor_class,
                                   std::unique_ptr<ActorBase> actor) {
  Loop* current = Loop::Current();
  if (current != nullptr && &current->bus() != bus.get()) current = nullptr;
  if (current == nullptr && bus->draining()) {
    return absl::UnavailableError("the bus is shutting down");
  }
  if (options.mailbox_capacity == 0) {
    return absl::InvalidArgumentError(
        "SpawnOptions::mailbox_capacity is 0; an actor needs room for one "
        "message at least");
  }
  if (!options.name.empty()) {
    if (absl::Status named = Names::Check(options.name); !named.ok()) {
      return named;
    }
  }
  const absl::StatusOr<uint32_t> loop = ChooseLoop(*bus, options, current);
  if (!loop.ok()) return loop.status();

  const bool local = current != nullptr && current->index() == *loop;
  CellTable& cells = bus->port(*loop).cells;
  uint32_t generation = 0;
  Cell* cell =
      local ? cells.AllocateLocal(&generation) : cells.Allocate(&generation);
  if (cell == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("loop ", *loop,
                     " has as many actors as its "
                     "LoopOptions::max_actors allows"));
  }
  const ActorId id(*loop, cell->slot, generation);
  if (!options.name.empty()) {
    if (absl::Status named = bus->names().Add(options.name, id, actor_class);
        !named.ok()) {
      cells.Abandon(cell);
      return named;
    }
  }
  cell->credits.Open(generation, options.mailbox_capacity);
  const uint64_t sequence = bus->NextStartSequence();
  if (local) {
    current->Adopt(*cell, std::move(actor), actor_class, options, sequence);
  } else if (!SendControl(*bus, id,
                          SpawnRequest{.actor = std::move(actor),
                                       .actor_class = actor_class,
                                       .options = options,
                                       .start_sequence = sequence})) {
    cell->credits.Close(0);
    bus->names().Remove(options.name, id);
    return absl::UnavailableError(
        absl::StrCat("loop ", *loop, " has ended; the bus is shutting down"));
  }
  return Address(bus, id);
}

}  // namespace trolley
