// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/capabilities.h"
#include "trolley/poller/registrations.h"

int main() {
  trolley::Registrations<> registrations;
  return registrations
                 .CanAdd(trolley::Capabilities{}, /*fd=*/-1, trolley::Token{},
                         trolley::Interest{})
                 .ok()
             ? 1
             : 0;
}
