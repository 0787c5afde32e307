// SPDX-License-Identifier: Apache-2.0
//
// Connections: decides which peers may connect, and how many. It gives such a
// peer to gRPC, and closes any other before a byte of it is read.
//
//   the peer                                  what happens
//   its user is not allowed                   it is closed
//   max_connections_per_user are open         its user's oldest one is closed
//   max_connections are open, and its user
//     is root or the user of this process     the user with the most
//                                             connections loses its oldest one
//     is another one                          it is closed
//   otherwise                                 gRPC gets it
//
// So idle connections keep no operator out. gRPC does not tell which calls use
// which connection. So a connection that is closed for another may have open
// calls; they end with UNAVAILABLE.
//
// gRPC does not tell either when a connection has ended. So this keeps a
// duplicate of each descriptor, and looks at all of them when the next peer
// comes: a connection that has ended shows an end of file.
//
// Ownership: shared by the service and the actor that accepts. Holds one
//            descriptor for each connection.
// Threads:   thread-safe.
// Bounds:    ControlOptions::max_connections and max_connections_per_user. The
//            log gets a line at the 1st, 2nd, 4th, 8th... event of each kind.
// Ends:      Close(). Later peers are closed.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_CONNECTIONS_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_CONNECTIONS_H_

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
#include "absl/time/time.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_options.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {

class Connections {
 public:
  using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

  // `own_uid`: the user of this process. It is allowed, and so is root.
  Connections(const Bus& bus, const ControlOptions& options, uid_t own_uid,
              std::unique_ptr<Acceptor> acceptor);

  // Decides on a connection that was just accepted.
  void Take(ScopedFd connection);

  // Ends all connections, in both directions, when the peers have read what the
  // server wrote before this call; after `patience` at the latest. A gRPC
  // client that goes on to send drops what it has not read when it finds that
  // the connection has ended. On a plain thread; it waits.
  void Close(absl::Duration patience);

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
  // The peer has read all that was written, or has closed.
  bool HasReadAll(const ScopedFd& connection) const;
  void Count(std::atomic<uint64_t>& counter, const UnixCredentials& peer,
             absl::string_view why);

  void ForgetEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Closes another connection if it must. True: `peer` may stay.
  bool MakeRoom(const UnixCredentials& peer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  size_t CountOf(uid_t uid) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The user with the most connections.
  uid_t Largest() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Displace(uid_t uid, absl::string_view why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Bus& bus_;
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
  std::vector<Open> open_ ABSL_GUARDED_BY(mutex_);  // the oldest first
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_CONNECTIONS_H_
