// SPDX-License-Identifier: Apache-2.0
//
// A server on one machine, and a client on another, over TLS. The client asks
// each time that its link is up, and prints how the link ends: also when the
// cable between the two is cut and neither machine says a word.
//
//   two_machines serve 10.9.0.2:7000 certificates server
//   two_machines ask 10.9.0.2:7000 certificates client
//
// The folder has ca.crt, and NAME.crt and NAME.key of both. The name of the
// server must be in its certificate, and so must its address. Both programs end
// when their standard input does.

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
#include "trolley/actors/tcp/tcp_socket.h"
#include "trolley/actors/tls/tls_link.h"
#include "trolley/actors/tls/tls_listener.h"
#include "trolley/examples/two_machines/question.pb.h"

using two_machines::Name;
using two_machines::WhoAreYou;
using Directory = trolley::Protocol<Name(WhoAreYou)>;

trolley::TlsOptions CertificatesIn(const std::string& folder,
                                   const std::string& name) {
  return {.certificate_file = folder + "/" + name + ".crt",
          .key_file = folder + "/" + name + ".key",
          .trusted_file = folder + "/ca.crt"};
}

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
  Client(std::string endpoint, trolley::TlsOptions tls)
      : endpoint_(std::move(endpoint)), tls_(std::move(tls)) {}

  trolley::Task<absl::Status> On(trolley::LinkUp up) {
    absl::StatusOr<Name> name =
        co_await host_.Ask(WhoAreYou(), absl::Seconds(10));
    std::cout << "up: " << (name.ok() ? name->name() : name.status().ToString())
              << ", by the certificate of " << up.peer_identity << std::endl;
    co_return absl::OkStatus();
  }
  void On(const trolley::LinkDown& down) {
    std::cout << "down: " << trolley::LinkEndName(down.end) << ", "
              << down.reason.message() << std::endl;
  }

 protected:
  void OnStart() override {
    trolley::TlsLinkOptions options;
    options.tls = tls_;
    options.watcher = Self(this);
    // The kernel looks each second whether the other machine is there, and
    // gives it up after two.
    options.socket.keepalive_idle = absl::Seconds(1);
    options.socket.keepalive_interval = absl::Seconds(1);
    options.socket.unacknowledged_limit = absl::Seconds(2);
    options.connect_timeout = absl::Seconds(1);
    options.backoff_last = absl::Milliseconds(100);
    auto link = Spawn<trolley::TlsLink>({}, endpoint_, options);
    if (!link.ok()) return Stop();
    auto host = Spawn<trolley::Remote<Directory>>({}, *link, "host");
    if (!host.ok()) return Stop();
    host_ = *host;
  }

 private:
  const std::string endpoint_;
  const trolley::TlsOptions tls_;
  trolley::Ref<Directory> host_;
};

absl::Status Serve(trolley::Bus& bus, const std::string& where,
                   const std::string& folder, const std::string& name) {
  absl::StatusOr<trolley::TcpListenSocket> socket =
      trolley::ListenTcp(trolley::RealSys(), where);
  if (!socket.ok()) return socket.status();
  std::cout << "listens at " << socket->endpoint() << std::endl;
  absl::Status spawned = bus.Spawn<Host>({.name = "host"}, name).status();
  if (!spawned.ok()) return spawned;
  trolley::TlsListenerOptions options;
  options.tls = CertificatesIn(folder, name);
  return bus
      .Spawn<trolley::TlsListener>({.name = "tls"}, *std::move(socket), options)
      .status();
}

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if ((what != "serve" && what != "ask") || argc != 5) {
    std::cerr << "usage: two_machines serve ADDRESS:PORT FOLDER NAME\n"
                 "       two_machines ask HOST:PORT FOLDER NAME\n"
                 "FOLDER has ca.crt, NAME.crt and NAME.key.\n";
    return 2;
  }
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const absl::Status started =
      what == "serve" ? Serve(bus, argv[2], argv[3], argv[4])
                      : bus.Spawn<Client>({.name = "client"}, argv[2],
                                          CertificatesIn(argv[3], argv[4]))
                            .status();
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
