// SPDX-License-Identifier: Apache-2.0
//
// ActorClass: what a bus knows of the C++ class of an actor, one static object
// for each class, made by Spawn. Immutable.

#ifndef TROLLEY_BUS_ACTOR_CLASS_H_
#define TROLLEY_BUS_ACTOR_CLASS_H_

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace trolley {

class ActorBase;
class Address;
struct WireMethod;

struct ActorClass {
  // The class's name, for people.
  absl::string_view (*name)();
  // The messages it takes from other processes (actors/wire.h); may be empty.
  absl::Span<const WireMethod* const> (*wire_methods)();
  // True: its actors are interleaved, whatever SpawnOptions says, because
  // their handlers rely on it. A class says so by `kInterleaved = true`.
  bool interleaved = false;
  // How long after its message's deadline a suspended handler may go on before
  // it is cancelled. A class says so by `kOvertime = absl::Seconds(1)`.
  absl::Duration overtime = absl::ZeroDuration();
  // The link by which what is told to such an actor leaves the process. Null:
  // it does not leave. A class says so by `kLeadsOverALink = true`.
  const Address& (*link_of)(const ActorBase& actor) = nullptr;
};

}  // namespace trolley

#endif  // TROLLEY_BUS_ACTOR_CLASS_H_
