// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/control_service.h"

#include <cstdlib>
#include <string>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

int main() {
  char folder[] = "/tmp/embed.XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  bool good = false;
  {
    trolley::Bus bus = trolley::Bus::CreateOrDie({});
    const auto control = trolley::ControlService::Start(
        bus, {.path = std::string(folder) + "/control.sock"});
    good = control.ok();
    if (good) (*control)->Stop();
  }
  return std::system(("rmdir " + std::string(folder)).c_str()) == 0 && good ? 0
                                                                            : 1;
}
