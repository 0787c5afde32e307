// SPDX-License-Identifier: Apache-2.0
//
// Session: the actor under test. It counts the clicks of a user, and ends when
// the user has been quiet for kQuiet. Then the desk gets a Bill.

#ifndef TROLLEY_EXAMPLES_TESTING_SESSION_H_
#define TROLLEY_EXAMPLES_TESTING_SESSION_H_

#include <utility>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/behaviour/idle_timeout.h"
#include "trolley/actors/protocol.h"

namespace examples {

struct Click {};
struct Bill {
  int clicks = 0;
};

class Session : public trolley::Actor {
 public:
  using Desk = trolley::Ref<trolley::Protocol<Bill>>;
  static constexpr absl::Duration kQuiet = absl::Hours(1);

  explicit Session(Desk desk) : desk_(std::move(desk)) {}

  void On(const Click&) {
    ++clicks_;
    quiet_.Touch();
  }
  void On(const trolley::Idle&) {
    if (quiet_.expired()) Stop();
  }

 protected:
  void OnStart() override { quiet_.Start(this, kQuiet); }
  void OnStop() override { (void)TellLast(desk_, Bill{clicks_}); }

 private:
  const Desk desk_;
  trolley::IdleTimeout quiet_;
  int clicks_ = 0;
};

}  // namespace examples

#endif  // TROLLEY_EXAMPLES_TESTING_SESSION_H_
