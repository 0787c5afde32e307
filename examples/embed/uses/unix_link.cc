// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix/unix_link.h"

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/unix/unix_listener.h"

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  return bus.Spawn<trolley::UnixLink>({}, "/nonexistent/socket").ok() ? 0 : 1;
}
