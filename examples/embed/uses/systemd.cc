// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bus.h"
#include "trolley/actors/systemd/listen_sockets.h"
#include "trolley/actors/systemd/service_notifier.h"

int main() {
  const auto sockets = trolley::TakeListenSockets(trolley::RealSys());
  const auto options =
      trolley::ServiceNotifierOptions::FromEnvironment(trolley::RealSys());
  if (!sockets.ok() || !options.ok()) return 1;
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  return bus.Spawn<trolley::ServiceNotifier>({}, *options).ok() ? 0 : 1;
}
