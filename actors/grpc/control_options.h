// SPDX-License-Identifier: Apache-2.0
//
// ControlOptions: which users may use a control service, and its limits. Each
// limit has a unit, a range, a default and the reason for the default.
//
//   trolley::ControlOptions options{.path = "/run/bank/control.sock"};
//   options.socket_mode = 0666;          // both, to let user 1001 in
//   options.allowed_uids = {1001};
//
// A value: the caller of ControlService::Start (actors/grpc/control_service.h)
// fills it in, and Start copies it. A value out of its range is InvalidArgument
// from Start.

#ifndef TROLLEY_ACTORS_GRPC_CONTROL_OPTIONS_H_
#define TROLLEY_ACTORS_GRPC_CONTROL_OPTIONS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "trolley/actors/supervision/tree_source.h"
#include "trolley/bus/options.h"

namespace trolley {

struct ControlOptions {
  // The path of the socket, 1 to 107 bytes. Other users must not have write
  // permission for its directory.
  std::string path = "";

  // The permissions of the socket, within 0777. A user with write permission
  // may connect. 0600: this user and root. To let other users in, extend it
  // *and* list them in allowed_uids.
  mode_t socket_mode = 0600;

  // The users that may use the service, beside root and the user of this
  // process.
  std::vector<uid_t> allowed_uids = {};

  // The version of your program, for the answer of GetServerInfo.
  std::string version = "";

  // The supervisors that the service shows: SupervisionTree() makes it
  // (actors/supervision/supervision_tree.h). The default: none. At most
  // TreeSource::kMostRoots roots, each with a valid name.
  TreeSource tree = {};

  // The loop of the actor that accepts; SpawnOptions::kAnyLoop: any.
  int loop = SpawnOptions::kAnyLoop;

  // Connections at one time, at least 1; a count. 64: enough for people and
  // their scripts. Each costs two descriptors. A further one is closed at once.
  // But one of root or of the user of this process is served: then the user
  // with the most connections loses its oldest one.
  uint32_t max_connections = 64;

  // Connections of one user at one time, at least 1; a count. A further one
  // closes the oldest one of this user. 32: half of all, so that other users
  // can connect.
  uint32_t max_connections_per_user = 32;

  // Calls at one time on one connection, 1 to 2^31 - 1; a count. The client
  // queues further ones. 256: with max_connections, at most 16384 calls are
  // open. A call that has ended counts as long as a busy loop has work of it in
  // its queue.
  uint32_t max_calls_per_connection = 256;

  // The bytes of one request, and of one response, 4 KiB to 1 GiB. 4 MiB: the
  // default of gRPC; a page of 1000 actors needs a tenth of it.
  uint32_t max_message_bytes = 4u << 20;

  // The durations below are 1 ms to 24 h.
  //
  // The time in which a peer must begin to speak HTTP/2, or it is closed. 2 s:
  // it is on this machine.
  absl::Duration handshake_timeout = absl::Seconds(2);

  // A connection without a call for so long is closed; a client connects again
  // for its next call. 10 min: longer than the pause of a person between two
  // calls.
  absl::Duration idle_timeout = absl::Minutes(10);

  // The deadline of an ask, or of a wait for the end of an actor: for a call
  // without one, and the longest for all calls. So no call is open for ever.
  absl::Duration default_deadline = absl::Seconds(10);
  absl::Duration longest_deadline = absl::Minutes(10);
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_GRPC_CONTROL_OPTIONS_H_
