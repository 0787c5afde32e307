// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/tls_link.h"

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/tls/tls_listener.h"

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  return bus.Spawn<trolley::TlsLink>({}, "127.0.0.1:1").ok() ? 0 : 1;
}
