// SPDX-License-Identifier: Apache-2.0
//
// Interleaved<A>: an A that handles its next message while a handler waits, for
// tests that try an actor both ways.
//
//   Ref<Serial> actor = SpawnInterleaved<Serial>(bus, {}, &diary);

#ifndef TROLLEY_TESTS_BUS_INTERLEAVED_H_
#define TROLLEY_TESTS_BUS_INTERLEAVED_H_

#include <utility>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

namespace trolley {

template <typename A>
class Interleaved : public A {
 public:
  static constexpr bool kInterleaved = true;
  using A::A;
};

template <typename A, typename... Args>
Ref<A> SpawnInterleaved(Bus& bus, const SpawnOptions& options, Args&&... args) {
  return Ref<A>(bus.Spawn<Interleaved<A>>(options, std::forward<Args>(args)...)
                    ->address());
}

}  // namespace trolley

#endif  // TROLLEY_TESTS_BUS_INTERLEAVED_H_
