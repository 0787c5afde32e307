// SPDX-License-Identifier: Apache-2.0
//
// control_server PATH: runs a bus with one actor, "a", and a control service at
// PATH. Prints "ready", or the error. Ends when its standard input ends.

#include <iostream>
#include <string>

#include "tests/control/running_bus.h"

int main(int, char** argv) {
  auto bus = trolley::Bus::Create({});
  auto control = trolley::ControlService::Start(**bus, {.path = argv[1]});
  if (!control.ok()) {
    std::cout << control.status() << std::endl;
    return 1;
  }
  auto a = (*bus)->Spawn<trolley::test::Counter>({.name = "a"});
  std::cout << "ready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  (*control)->Stop();
  return (*bus)->Shutdown(absl::Seconds(5)).clean ? 0 : 1;
}
