// SPDX-License-Identifier: Apache-2.0
//
// Connections: which peers are let in, and how many. A peer that is let in goes
// to gRPC; any other is closed before a byte of it is read.
//
// When a user has all the places it may have, its longest open connection makes
// room for its next one. When all places are taken, root and the user of this
// process get one still: the user with most connections gives its longest open
// one. Any other user is turned away. So idle connections, forgotten or
// hostile, lock nobody out. gRPC does not say which calls came by which
// connection, so a connection that makes room may have calls open; they end
// with UNAVAILABLE.
//
// gRPC does not say when a connection has ended either. So a duplicate of each
// descriptor is kept, and looked at when the next one comes: the peer's end, or
// gRPC's shutdown(), shows as an end of file there.
//
// Ownership: shared by the service and the actor that accepts; holds one
//            descriptor for each connection.
// Threads:   thread-safe.
// Bounds:    ControlOptions::max_connections and max_connections_per_user.
//            Lines in the log: at the 1st, 2nd, 4th, 8th... of each kind.
// Ends:      Close(): ends every connection, in both directions: what the
//            server has written before still arrives, and nothing else does.
//            From then on each peer is turned away.

#ifndef TROLLEY_ACTORS_GRPC_CONNECTIONS_H_
#define TROLLEY_ACTORS_GRPC_CONNECTIONS_H_

#include <grpcpp/server_builder.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "trolley/actors/grpc/control_service.h"
#include "trolley/actors/unix_socket.h"
#include "trolley/bus/bus_state.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley::control {

class Connections {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // `own_uid`: of this process; let in, as is root.
  Connections(BusState::Ptr bus, const ControlOptions& options, uid_t own_uid,
              std::unique_ptr<Acceptor> acceptor);

  // A connection that was just accepted.
  void Take(ScopedFd connection);
  void Close();

  // As ControlService.
  uint64_t refused_peers() const { return refused_peers_.load(); }
  uint64_t turned_away() const { return turned_away_.load(); }
  uint64_t displaced() const { return displaced_.load(); }

 private:
  struct Open {
    ScopedFd fd;
    UnixCredentials peer;
  };

  bool IsAllowed(uid_t uid) const;
  bool HasEnded(const ScopedFd& connection) const;
  void Count(std::atomic<uint64_t>& counter, const UnixCredentials& peer,
             absl::string_view why);

  void ForgetEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True: there is a place for `peer`, made if need be.
  bool MakeRoom(const UnixCredentials& peer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t CountOf(uid_t uid) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The user that has most connections.
  uid_t Largest() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Displace(uid_t uid, absl::string_view why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const BusState::Ptr bus_;
  const std::string path_;
  const uid_t own_uid_;
  const std::vector<uid_t> allowed_uids_;
  const uint32_t max_connections_;
  const uint32_t max_per_user_;
  const std::unique_ptr<Acceptor> acceptor_;
  std::atomic<uint64_t> refused_peers_{0};
  std::atomic<uint64_t> turned_away_{0};
  std::atomic<uint64_t> displaced_{0};

  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Open> open_ ABSL_GUARDED_BY(mutex_);  // the longest open first
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_CONNECTIONS_H_
