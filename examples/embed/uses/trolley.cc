// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <utility>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

namespace {

struct Greet {
  std::string name;
};

class Greeter : public trolley::Actor {
 public:
  std::string On(const Greet& greet) { return "hello, " + greet.name; }
};

}  // namespace

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const auto greeter = bus.Spawn<Greeter>({.name = "greeter"});
  if (!greeter.ok()) return 1;
  const auto answer =
      greeter->AskAndWait(Greet{"you"}, absl::InfiniteDuration());
  return answer.ok() && *answer == "hello, you" ? 0 : 1;
}
