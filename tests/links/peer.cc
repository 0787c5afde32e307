// SPDX-License-Identifier: Apache-2.0
//
// The other process of two_processes_test. It ends when its standard input
// ends.
//
//   peer PATH              listens at PATH, with a Sink named "sink"
//   peer PATH stream N     connects to PATH and streams N numbers to its "sink"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "trolley/actors/bus.h"
#include "trolley/actors/unix/unix_link.h"
#include "trolley/actors/unix/unix_listener.h"
#include "trolley/tests/links/actors.h"

namespace {

using trolley::links_test::Numbers;
using trolley::links_test::Sink;
using trolley::links_test::Streamer;

bool Listen(trolley::Bus& bus, const char* path) {
  absl::StatusOr<trolley::UnixListenSocket> socket =
      trolley::ListenUnix(trolley::RealSys(), path);
  if (!socket.ok()) {
    std::fprintf(stderr, "%s\n", socket.status().ToString().c_str());
    return false;
  }
  return bus.Spawn<Sink>({.name = "sink", .loop = 1}).ok() &&
         bus.Spawn<trolley::UnixListener>({.name = "uds", .loop = 0},
                                          *std::move(socket))
             .ok();
}

bool StreamTo(trolley::Bus& bus, const char* path, uint64_t count) {
  auto link = bus.Spawn<trolley::UnixLink>({.name = "link", .loop = 0}, path);
  if (!link.ok()) return false;
  auto sink = bus.Spawn<trolley::Remote<Numbers>>({.loop = 0}, *link, "sink");
  return sink.ok() &&
         bus.Spawn<Streamer>({.loop = 1}, *sink, count, size_t{100}).ok();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: peer PATH [stream N]\n");
    return 2;
  }
  trolley::Bus bus = trolley::Bus::CreateOrDie({.loops = {{}, {}}});
  const bool good =
      argc == 2 ? Listen(bus, argv[1])
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
