// SPDX-License-Identifier: Apache-2.0
//
// The other process of two_processes_test. It ends when its standard input
// ends.
//
//   peer WHERE             listens there, with a Sink named "sink"
//   peer WHERE stream N    connects, and streams N numbers to the "sink" there
//
// WHERE is a path, or an address with a port.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "trolley/actors/bus.h"
#include "trolley/tests/links/actors.h"
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: peer WHERE [stream N]\n");
    return 2;
  }
  trolley::Bus bus = trolley::Bus::CreateOrDie({.loops = {{}, {}}});
  const bool good =
      argc == 2 ? Serve(bus, argv[1])
                : StreamTo(bus, argv[1], std::strtoull(argv[3], nullptr, 10));
  if (!good) return 1;
  std::puts("ready");
  std::fflush(stdout);
  char byte;
  while (::read(0, &byte, 1) > 0) {
  }
  const trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
  trolley::links_test::EndServers(bus);
  std::printf("%s\n", report.ToString().c_str());
  return report.ledger.Balances() ? 0 : 1;
}
