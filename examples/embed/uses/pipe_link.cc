// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/pipe/pipe_link.h"

#include "trolley/actors/bus.h"

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto link = bus.Spawn<trolley::PipeLink>(
      {}, trolley::PipePaths{.in = "/nowhere/in", .out = "/nowhere/out"});
  return link.ok() ? 0 : 1;
}
