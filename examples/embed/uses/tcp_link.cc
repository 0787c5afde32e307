// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_link.h"

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/tcp/tcp_listener.h"

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  return bus.Spawn<trolley::TcpLink>({}, "127.0.0.1:1").ok() ? 0 : 1;
}
