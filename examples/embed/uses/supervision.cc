// SPDX-License-Identifier: Apache-2.0
//
// A worker that fails is restarted, and the same Ref reaches its next object.

#include <stdexcept>
#include <vector>

#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/supervision/supervisor.h"

namespace {

struct Boom {};
struct Ping {};

class Worker : public trolley::Actor {
 public:
  void On(const Boom&) { throw std::runtime_error("boom"); }
  int On(const Ping&) { return 1; }
};

}  // namespace

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto app = bus.Spawn<trolley::Supervisor>(
      {.name = "app"}, trolley::SupervisorOptions{},
      std::vector<trolley::ChildSpec>{
          trolley::Child<Worker>({.name = "worker"})});
  if (!app.ok()) return 1;
  if (!app->AskAndWait(trolley::AwaitUp{}, absl::Seconds(60)).ok()) return 2;
  auto worker = bus.Find<Worker>("app/worker");
  if (!worker.ok()) return 3;
  worker->Tell(Boom{});
  return worker->AskAndWait(Ping{}, absl::Seconds(60)).ok() ? 0 : 4;
}
