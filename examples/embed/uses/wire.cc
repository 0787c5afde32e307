// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/wire.h"

#include "trolley/actors/bus.h"

int main() {
  auto bus = trolley::Bus::CreateOrDie({});
  const auto target = trolley::WireTarget::Find(bus, "not/there");
  return absl::IsNotFound(target.status()) ? 0 : 1;
}
