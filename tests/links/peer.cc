// SPDX-License-Identifier: Apache-2.0
//
// The other process of two_processes_test. It ends when its standard input
// ends.
//
//   peer WHERE             listens there, with a Sink named "sink"
//   peer WHERE stream N    connects, and streams N numbers to the "sink" there
//   peer WHERE watch NAME  connects, and watches the actor NAME there
//
// WHERE is a path, or an address with a port.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "trolley/actors/bus.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/mourner.h"
#include "trolley/tests/links/transport.h"

namespace {

using trolley::links_test::Numbers;
using trolley::links_test::Sink;
using trolley::links_test::Streamer;

bool Serve(trolley::Bus& bus, const char* where) {
  if (!bus.Spawn<Sink>({.name = "sink", .loop = 1}).ok()) return false;
  const absl::Status listens =
      trolley::links_test::Listen(bus, trolley::RealSys(), {.loop = 0}, where,
                                  {})
          .status();
  if (!listens.ok()) std::fprintf(stderr, "%s\n", listens.ToString().c_str());
  return listens.ok();
}

bool StreamTo(trolley::Bus& bus, const char* where, uint64_t count) {
  auto link = trolley::links_test::Dial(bus, {.loop = 0}, where, {});
  if (!link.ok()) return false;
  auto sink = bus.Spawn<trolley::Remote<Numbers>>({.loop = 0}, *link, "sink");
  return sink.ok() &&
         bus.Spawn<Streamer>({.loop = 1}, *sink, count, size_t{100}).ok();
}

bool WatchThere(trolley::Bus& bus, const char* where, const char* name) {
  auto link = trolley::links_test::Dial(bus, {.loop = 0}, where, {});
  if (!link.ok()) return false;
  auto mourner = bus.Spawn<trolley::links_test::Mourner>({.loop = 1});
  return mourner.ok() && mourner->Tell(trolley::links_test::Mourn{
                             *link, name}) == trolley::Delivery::kAccepted;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: peer WHERE [stream N | watch NAME]\n");
    return 2;
  }
  const bool watches = argc == 4 && std::strcmp(argv[2], "watch") == 0;
  trolley::Bus bus = trolley::Bus::CreateOrDie({.loops = {{}, {}}});
  const bool good =
      argc == 2 ? Serve(bus, argv[1])
      : watches ? WatchThere(bus, argv[1], argv[3])
                : StreamTo(bus, argv[1], std::strtoull(argv[3], nullptr, 10));
  if (!good) return 1;
  std::puts("ready");
  std::fflush(stdout);
  char byte;
  while (::read(0, &byte, 1) > 0) {
  }
  const trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
  std::printf("%s\n", report.ToString().c_str());
  return report.ledger.Balances() ? 0 : 1;
}
