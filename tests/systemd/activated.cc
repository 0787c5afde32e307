// SPDX-License-Identifier: Apache-2.0
//
// A service of activation_test, and its client.
//
//   activated unix|tcp   serves links on the one socket that a service manager
//                        has opened, until its standard input ends
//   activated ask WHERE  asks that service, and prints the answer

#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/systemd/listen_sockets.h"
#include "trolley/actors/systemd/service_notifier.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/transport.h"

namespace trolley::links_test {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

absl::Status Serve(Bus& bus, bool tcp) {
  absl::StatusOr<std::vector<ListenSocket>> sockets =
      TakeListenSockets(RealSys());
  if (!sockets.ok()) return sockets.status();
  if (sockets->size() != 1 || (*sockets)[0].name != "links") {
    return absl::FailedPreconditionError("one socket named links is expected");
  }
  ScopedFd fd = std::move((*sockets)[0].fd);
  if (tcp) {
    absl::StatusOr<TcpListenSocket> socket = AdoptTcp(RealSys(), std::move(fd));
    if (!socket.ok()) return socket.status();
    return bus.Spawn<TcpListener>({}, *std::move(socket)).status();
  }
  absl::StatusOr<UnixListenSocket> socket = AdoptUnix(RealSys(), std::move(fd));
  if (!socket.ok()) return socket.status();
  return bus.Spawn<UnixListener>({}, *std::move(socket)).status();
}

int Run(int argc, char** argv) {
  const absl::string_view role = argc > 1 ? argv[1] : "";
  Bus bus = Bus::CreateOrDie({});
  if (role == "ask" && argc == 3) {
    const auto link = Dial(bus, {}, argv[2], {});
    const auto sink = bus.Spawn<Remote<Numbers>>({}, *link, "sink");
    const auto answer = sink->AskAndWait(AskOf(42), absl::Seconds(30));
    if (!answer.ok()) return Fail(answer.status());
    std::printf("answer %d\n", static_cast<int>(answer->value()));
    return 0;
  }
  if (role != "unix" && role != "tcp") {
    std::fprintf(stderr, "usage: activated unix|tcp; activated ask WHERE\n");
    return 2;
  }
  const auto options = ServiceNotifierOptions::FromEnvironment(RealSys());
  if (!options.ok()) return Fail(options.status());
  if (!bus.Spawn<Sink>({.name = "sink"}).ok()) return 1;
  const absl::Status serves = Serve(bus, role == "tcp");
  if (!serves.ok()) return Fail(serves);
  if (!bus.Spawn<ServiceNotifier>({}, *options).ok()) return 1;
  char byte;
  while (::read(0, &byte, 1) > 0) {
  }
  const ShutdownReport report = bus.Shutdown(absl::Seconds(10));
  return report.ledger.Balances() ? 0 : 1;
}

}  // namespace
}  // namespace trolley::links_test

int main(int argc, char** argv) { return trolley::links_test::Run(argc, argv); }
