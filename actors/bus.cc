// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bus.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

void DieUnlessOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fputs(
      absl::StrCat("cannot start the bus: ", status.ToString(), "\n").c_str(),
      stderr);
  std::exit(EXIT_FAILURE);
}

// `options`, if ValidateBusOptions() is OK.
BusOptions ValidatedOrDie(BusOptions options) {
  DieUnlessOk(ValidateBusOptions(options));
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Bus>> Bus::Create(BusOptions options) {
  if (absl::Status valid = ValidateBusOptions(options); !valid.ok()) {
    return valid;
  }
  auto bus = std::unique_ptr<Bus>(new Bus(std::move(options)));
  if (absl::Status started = bus->core_.Start(); !started.ok()) return started;
  return bus;
}

Bus Bus::CreateOrDie(BusOptions options) {
  return Bus(std::move(options), OrDie{});
}

Bus::Bus(BusOptions options, OrDie)
    : core_(ValidatedOrDie(std::move(options))) {
  DieUnlessOk(core_.Start());
}

bool Bus::InspectActor(
    const Address& actor,
    std::function<void(std::optional<ActorInfo>)> done) const {
  if (!actor || actor.bus() != core_.state().get()) return false;
  return internal::Loop::Post(
      core_.state()->inbox(actor.id().loop()),
      [id = actor.id(), done = std::move(done)](internal::Loop& loop) {
        done(loop.inspector().Actor(id));
      });
}

bool Bus::RunOnLoop(int loop, std::function<void()> run) const {
  if (loop < 0 || loop >= loops()) return false;
  return internal::Loop::Post(
      core_.state()->inbox(loop),
      [run = std::move(run)](internal::Loop&) { run(); });
}

}  // namespace trolley
