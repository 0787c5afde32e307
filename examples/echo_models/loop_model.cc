// SPDX-License-Identifier: Apache-2.0
//
// An actor for each connection, many on one loop.

#include <signal.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/stream.h"
#include "trolley/examples/echo_models/handler.h"
#include "trolley/examples/echo_models/models.h"

namespace echo {
namespace {

using trolley::ScopedFd;
using trolley::Stream;
using trolley::Task;

// Out of descriptors, the listener is left alone for as long as this.
constexpr absl::Duration kPause = absl::Milliseconds(100);

class Connection : public trolley::Actor {
 public:
  explicit Connection(ScopedFd fd) : fd_(std::move(fd)) {}

 protected:
  void OnStart() override {
    stream_.emplace(context(), std::move(fd_));
    RunInBackground(Serve());
  }

 private:
  Task<absl::Status> Serve() {
    char buffer[kBufferBytes];
    for (;;) {
      const absl::StatusOr<size_t> n =
          co_await stream_->Read(absl::MakeSpan(buffer));
      if (!n.ok() || *n == 0) break;
      const absl::Status written =
          co_await stream_->Write(Answer(absl::string_view(buffer, *n)));
      if (!written.ok()) break;
    }
    Stop();
    co_return absl::OkStatus();
  }

  ScopedFd fd_;
  std::optional<Stream> stream_;
};

class Listener : public trolley::Actor {
 public:
  Listener(ScopedFd fd, int loops) : fd_(std::move(fd)), loops_(loops) {}

 protected:
  void OnStart() override {
    stream_.emplace(context(), std::move(fd_));
    RunInBackground(Accept());
  }

 private:
  Task<absl::Status> Accept() {
    for (int next = 0;; next = (next + 1) % loops_) {
      absl::StatusOr<ScopedFd> accepted = co_await stream_->Accept();
      if (absl::IsResourceExhausted(accepted.status())) {
        context().Log(
            absl::StrCat("a connection waits: ", accepted.status().ToString()));
        co_await Sleep(kPause);
        continue;
      }
      if (!accepted.ok()) co_return accepted.status();
      const auto connection =
          Spawn<Connection>({.loop = next}, *std::move(accepted));
      if (!connection.ok()) {
        context().Log(absl::StrCat("a connection was closed: ",
                                   connection.status().ToString()));
      }
    }
  }

  ScopedFd fd_;
  const int loops_;
  std::optional<Stream> stream_;
};

}  // namespace

absl::Status ServeWithLoops(trolley::UnixListenSocket& listener,
                            const std::string& poller, int loops) {
  auto bus = trolley::Bus::Create(
      {.loops = std::vector<trolley::LoopOptions>(loops, {.poller = poller})});
  if (!bus.ok()) return bus.status();
  trolley::Sys& sys = trolley::RealSys();
  // The listener keeps its own descriptor, and with it its path.
  ScopedFd watched(sys, sys.Dup(listener.fd()));
  if (!watched) return absl::ResourceExhaustedError("no descriptor is left");
  const auto spawned =
      (*bus)->Spawn<Listener>({.name = "listener"}, std::move(watched), loops);
  if (!spawned.ok()) return spawned.status();

  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ending, signal);
  int signal = 0;
  sigwait(&ending, &signal);
  // Actors that wait for the outside are ended; that is the plan here.
  const trolley::ShutdownReport report = (*bus)->Shutdown(absl::Seconds(5));
  return report.clean ? absl::OkStatus()
                      : absl::InternalError(report.ToString());
}

}  // namespace echo
