// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/actor_service.h"

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

class Nobody : public trolley::Actor {};

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  if (!bus.Spawn<Nobody>({.name = "nobody"}).ok()) return 1;
  // This program has no service.
  return absl::IsNotFound(
             trolley::ActorService::Create(bus, "bank.v1.Bank", "nobody")
                 .status())
             ? 0
             : 1;
}
