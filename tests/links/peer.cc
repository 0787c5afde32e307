// SPDX-License-Identifier: Apache-2.0
//
// The other process of two_processes_test. It ends when its standard input
// ends.
//
//   peer WHERE             listens there, with a Sink named "sink"
//   peer WHERE stream N    connects, and streams N numbers to the "sink" there
//   peer WHERE watch NAME  connects, and watches the actor NAME there
//   peer WHERE import P    connects, and subscribes to P at the "topics" there
//   peer WHERE export P    listens, and publishes numbers as P at its "topics"
//
// WHERE is a path, or an address with a port.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "trolley/actors/bus.h"
#include "trolley/actors/remote_topics/topic_export.h"
#include "trolley/actors/remote_topics/topic_import.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/mourner.h"
#include "trolley/tests/links/reader.h"
#include "trolley/tests/links/transport.h"

namespace {

using trolley::links_test::Numbers;
using trolley::links_test::Put;
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

bool ImportFrom(trolley::Bus& bus, const char* where, const char* pattern) {
  auto link = trolley::links_test::Dial(bus, {.loop = 0}, where, {});
  auto reader = bus.Spawn<trolley::links_test::Reader>({.name = "reader"});
  return link.ok() && reader.ok() &&
         bus.Spawn<trolley::TopicImport<Put>>(
                {.loop = 1}, *link, "topics", pattern,
                trolley::TopicImport<Put>::Subscriber(*reader))
             .ok();
}

bool Export(trolley::Bus& bus, const char* where) {
  trolley::Topics topics;
  return bus.Spawn<trolley::TopicExport<Put>>({.name = "topics", .loop = 1},
                                              topics)
             .ok() &&
         bus.Spawn<trolley::links_test::Publisher>({.loop = 1}, topics).ok() &&
         Serve(bus, where);
}

bool Run(trolley::Bus& bus, const char* where, const std::string& what,
         const char* argument) {
  if (what == "watch") return WatchThere(bus, where, argument);
  if (what == "import") return ImportFrom(bus, where, argument);
  if (what == "export") return Export(bus, where);
  return StreamTo(bus, where, std::strtoull(argument, nullptr, 10));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: peer WHERE [WHAT ARGUMENT]\n");
    return 2;
  }
  trolley::Bus bus = trolley::Bus::CreateOrDie({.loops = {{}, {}}});
  const bool good =
      argc == 2 ? Serve(bus, argv[1]) : Run(bus, argv[1], argv[2], argv[3]);
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
