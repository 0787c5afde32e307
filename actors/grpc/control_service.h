// SPDX-License-Identifier: Apache-2.0
//
// ControlService: serves proto/control.proto for a running bus, with gRPC over
// a Unix socket: look at its actors, send to them, ask them, stop them. The
// `trolley` command is its client. Health checks come with it, and reflection,
// by which tools know the messages of your actors.
//
//   absl::StatusOr<std::unique_ptr<trolley::ControlService>> control =
//       trolley::ControlService::Start(bus, {.path = "/run/bank.sock"});
//   if (!control.ok()) ...
//   ...
//   (*control)->Stop();
//   bus.Shutdown(absl::Seconds(5));
//
// The socket is ours (actors/unix_socket.h), not gRPC's: it is 0600 from its
// first moment, is never taken from a live server, and a peer whose user is not
// allowed is closed before a byte of it is read. A user that is allowed may do
// everything.
//
// Ownership: owns the socket, the gRPC server and the actor that accepts; the
//            bus outlives it.
// Threads:   Start, Stop and the destructor: a plain thread, never a loop. It
//            starts the threads of a gRPC server, and one for the deadlines of
//            calls; none of them ever waits for an actor.
// Bounds:    ControlOptions.
// Ends:      Stop(), or the destructor, which calls it.
//
// Time: the deadlines of calls and what Stop() waits for follow the monotonic
// clock. gRPC itself waits by the wall clock: ControlOptions::handshake_timeout
// and idle_timeout, and the deadline that a client has set for itself, come
// late, by as much as the wall clock is set back, or until gRPC sets another
// timer, as it does for each call that has a deadline. Setting it forward does
// nothing.

#ifndef TROLLEY_ACTORS_GRPC_CONTROL_SERVICE_H_
#define TROLLEY_ACTORS_GRPC_CONTROL_SERVICE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/bus/bus.h"

namespace trolley {

struct ControlOptions {
  // Where the socket is made: at most 107 bytes, in a directory that others may
  // not write to.
  std::string path = "";

  // Permissions of the socket, within 0777: who may write may connect. 0600:
  // this user and root. To let others in, widen it *and* list them in
  // allowed_uids.
  mode_t socket_mode = 0600;

  // Users let in beside root and the one that this process runs as.
  std::vector<uid_t> allowed_uids = {};

  // What GetServerInfo answers for the version of your program.
  std::string version = "";

  // The loop that accepts; SpawnOptions::kAnyLoop: any.
  int loop = SpawnOptions::kAnyLoop;

  // Connections at one time, at least 1; a count. 64: people and their scripts.
  // Each costs two descriptors. One more is closed at once, unless it is root's
  // or of the user that this process runs as: then the user with most
  // connections loses the one that has been open for longest.
  uint32_t max_connections = 64;

  // Connections of one user at one time, at least 1; a count. One more takes
  // the place of the one of this user that has been open for longest. 32: half,
  // so that no user takes the places of all.
  uint32_t max_connections_per_user = 32;

  // Calls at one time on one connection, 1 to 2^31 - 1; a count. A client
  // queues what is more. 256: with max_connections, at most 16384 calls are
  // open. Calls that have ended, but wait in the queue of a loop that is busy,
  // count in that product.
  uint32_t max_calls_per_connection = 256;

  // Bytes of one request and of one response, 4 KiB to 1 GiB. 4 MiB is gRPC's
  // own default: a page of 1000 actors is a tenth of it.
  uint32_t max_message_bytes = 4u << 20;

  // Each of these lengths of time is 1 ms to 24 h.
  //
  // How long a peer may take until it speaks HTTP/2. 2 s: it is on this
  // machine; one that says nothing is closed.
  absl::Duration handshake_timeout = absl::Seconds(2);

  // A connection without a call for this long is closed; a client opens another
  // when it has something to ask. 10 min: longer than a person thinks.
  absl::Duration idle_timeout = absl::Minutes(10);

  // The deadline of an ask, or of the wait for a stop, of a call that has none,
  // and the longest that any is given, so that no call is open for ever.
  absl::Duration default_deadline = absl::Seconds(10);
  absl::Duration longest_deadline = absl::Minutes(10);
};

class ControlService {
 public:
  // Serves `bus` at options.path from now on.
  //   InvalidArgument    an option is out of its range; the message names it
  //   AlreadyExists      a live server has the path
  //   ResourceExhausted  the machine does not give the threads or descriptors
  //                      that gRPC needs (actors/grpc/grpc_needs.h)
  //   others             as ListenUnix (actors/unix_socket.h) and Birth
  //                      (bus/birth.h)
  // After an error nothing is left behind, but for what gRPC starts once in a
  // process and never ends.
  static absl::StatusOr<std::unique_ptr<ControlService>> Start(
      Bus& bus, ControlOptions options);

  ControlService(const ControlService&) = delete;
  ControlService& operator=(const ControlService&) = delete;
  ~ControlService();

  // What a client dials: "unix:" and the path.
  std::string address() const;

  // Connections closed because of their user; because there were
  // max_connections, or no descriptor; to make room for another; counts.
  uint64_t refused_peers() const;
  uint64_t turned_away() const;
  uint64_t displaced() const;

  // Ends the service, in this order:
  //   1. It takes no more connections, and the socket is removed.
  //   2. Each call that is open ends with UNAVAILABLE (reason DRAINING), and so
  //      does each that comes.
  //   3. When the answers to those that were open are written, at most 1 s
  //      later, the connections are closed.
  // So a client sees an answer or UNAVAILABLE, and no other code. A call that
  // was on its way when its connection was closed is UNAVAILABLE without a
  // reason, and it is not known whether it was carried out.
  // Idempotent. Waits at most 3 s. Call it before Bus::Shutdown.
  void Stop();

 private:
  class Impl;
  explicit ControlService(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_GRPC_CONTROL_SERVICE_H_
