// SPDX-License-Identifier: Apache-2.0
//
// ControlService: lets other programs look at the actors of a running bus, send
// to them, ask them and stop them. It serves proto/control.proto with gRPC over
// a Unix socket. The `trolley` command is a client. It also serves health
// checks, and reflection, which tells tools the messages of your actors.
//
//   absl::StatusOr<std::unique_ptr<trolley::ControlService>> control =
//       trolley::ControlService::Start(bus, {.path = "/run/bank.sock"});
//   if (!control.ok()) ...
//   ...
//   (*control)->Stop();
//   bus.Shutdown(absl::Seconds(5));
//
// The library makes the socket (actors/unix/unix_socket.h), not gRPC. It has
// ControlOptions::socket_mode from its first moment. It does not replace the
// socket of a live server. A peer whose user is not allowed is closed before a
// byte of it is read. A user that is allowed may do everything.
//
// Ownership: owns the socket, the gRPC server and the actor that accepts. The
//            bus outlives it.
// Threads:   Start, Stop and the destructor: a plain thread. It starts the
//            threads of a gRPC server, one for the deadlines of calls, and one
//            for long answers. None of them waits for an actor.
// Bounds:    ControlOptions.
// Ends:      Stop(), or the destructor, which calls it.
//
// Log: from Start() to the end of Stop(), what gRPC logs in this process goes
// to the log of the bus. With several services it goes to the bus of the one
// that runs longest (actors/grpc/internal/grpc_log.h).
//
// Time: the deadlines of calls and the waits of Stop() follow the monotonic
// clock. gRPC follows the wall clock for ControlOptions::handshake_timeout and
// idle_timeout, and for the deadline in a client. When the wall clock is set
// back, these come late by as much, or until gRPC sets its next timer, which it
// does for each call with a deadline. To set it forward changes nothing.

#ifndef TROLLEY_ACTORS_GRPC_CONTROL_SERVICE_H_
#define TROLLEY_ACTORS_GRPC_CONTROL_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_options.h"

namespace trolley {

class ControlService {
 public:
  // Starts to serve `bus` at options.path.
  //   InvalidArgument    an option is out of its range; the message names it
  //   AlreadyExists      a live server has the path
  //   ResourceExhausted  the machine does not give the threads or descriptors
  //                      that gRPC needs (actors/grpc/internal/grpc_needs.h)
  //   others             as ListenUnix (actors/unix/unix_socket.h) and
  //                      Bus::Spawn
  // After an error nothing of the service is left. What gRPC starts once in a
  // process stays.
  static absl::StatusOr<std::unique_ptr<ControlService>> Start(
      Bus& bus, ControlOptions options);

  ControlService(const ControlService&) = delete;
  ControlService& operator=(const ControlService&) = delete;
  ~ControlService();

  // The address for a gRPC client: "unix:" and the path.
  std::string address() const;

  // Connections that the service has closed; counts.
  uint64_t refused_peers() const;  // the user is not allowed
  uint64_t turned_away() const;    // max_connections, or no descriptor is left
  uint64_t displaced() const;      // to make room for another connection

  // Ends the service, in this order:
  //   1. It takes no more connections, and removes the socket.
  //   2. Each open call ends with UNAVAILABLE (reason DRAINING). So does each
  //      later call.
  //   3. When the answers of the open calls are written, at most 1 s later, it
  //      waits until the clients have read them.
  //   4. At most 1 s later, it closes the connections.
  // So a call that the service has begun ends with its answer or with DRAINING,
  // unless its client reads nothing for so long. A call that came later is
  // UNAVAILABLE, perhaps without a reason, and was not carried out. Later calls
  // of Stop() do nothing. It returns after at most 4 s. Call it before
  // Bus::Shutdown.
  void Stop();

 private:
  class Impl;
  explicit ControlService(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_GRPC_CONTROL_SERVICE_H_
