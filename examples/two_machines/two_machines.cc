// SPDX-License-Identifier: Apache-2.0
//
// A server on one machine, and a client on another, over TCP. The client asks
// each time that its link is up, and prints how the link ends: also when the
// cable between the two is cut and nobody says a word.
//
//   two_machines serve 10.9.0.2:7000 10.9.0.0/24 server
//   two_machines ask 10.9.0.2:7000
//
// Both end when their standard input does.

#include <unistd.h>

#include <iostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/link/remote.h"
#include "trolley/actors/tcp/tcp_link.h"
#include "trolley/actors/tcp/tcp_listener.h"
#include "trolley/examples/two_machines/question.pb.h"

using two_machines::Name;
using two_machines::WhoAreYou;
using Directory = trolley::Protocol<Name(WhoAreYou)>;

class Host : public trolley::Actor {
 public:
  using Receives = Directory;

  explicit Host(std::string name) : name_(std::move(name)) {}
  Name On(const WhoAreYou&) {
    Name name;
    name.set_name(name_);
    return name;
  }

 private:
  const std::string name_;
};

// Asks when the link is up, and tells when it is down.
class Client : public trolley::Actor {
 public:
  explicit Client(std::string endpoint) : endpoint_(std::move(endpoint)) {}

  trolley::Task<absl::Status> On(trolley::LinkUp) {
    absl::StatusOr<Name> name =
        co_await host_.Ask(WhoAreYou(), absl::Seconds(10));
    std::cout << "up: " << (name.ok() ? name->name() : name.status().ToString())
              << std::endl;
    co_return absl::OkStatus();
  }
  void On(const trolley::LinkDown& down) {
    std::cout << "down: " << trolley::LinkEndName(down.end) << ", "
              << down.reason.message() << std::endl;
  }

 protected:
  void OnStart() override {
    trolley::TcpLinkOptions options;
    options.watcher = Self(this);
    // The kernel looks each second whether the other machine is there, and
    // gives it up after two.
    options.socket.keepalive_idle = absl::Seconds(1);
    options.socket.keepalive_interval = absl::Seconds(1);
    options.socket.unacknowledged_limit = absl::Seconds(2);
    options.connect_timeout = absl::Seconds(1);
    options.backoff_last = absl::Milliseconds(100);
    auto link = Spawn<trolley::TcpLink>({}, endpoint_, options);
    if (!link.ok()) return Stop();
    auto host = Spawn<trolley::Remote<Directory>>({}, *link, "host");
    if (!host.ok()) return Stop();
    host_ = *host;
  }

 private:
  const std::string endpoint_;
  trolley::Ref<Directory> host_;
};

absl::Status Serve(trolley::Bus& bus, const std::string& where,
                   const std::string& network, const std::string& name) {
  absl::StatusOr<trolley::TcpListenSocket> socket =
      trolley::ListenTcp(trolley::RealSys(), where);
  if (!socket.ok()) return socket.status();
  std::cout << "listens at " << socket->endpoint() << std::endl;
  absl::Status spawned = bus.Spawn<Host>({.name = "host"}, name).status();
  if (!spawned.ok()) return spawned;
  trolley::TcpListenerOptions options;
  options.allowed_networks = {network};
  return bus
      .Spawn<trolley::TcpListener>({.name = "tcp"}, *std::move(socket), options)
      .status();
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const bool serves = what == "serve" && argc == 5;
  if (!serves && (what != "ask" || argc != 3)) {
    std::cerr << "usage: two_machines serve ADDRESS:PORT NETWORK NAME\n"
                 "       two_machines ask HOST:PORT\n";
    return 2;
  }
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const absl::Status started =
      serves ? Serve(bus, argv[2], argv[3], argv[4])
             : bus.Spawn<Client>({.name = "client"}, argv[2]).status();
  if (!started.ok()) {
    std::cerr << started << "\n";
    return 1;
  }
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  bus.Shutdown(absl::Seconds(5));
  return std::cout.good() ? 0 : 1;
}
