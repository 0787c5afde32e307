// SPDX-License-Identifier: Apache-2.0
//
// Connections: which peers are let in, and how many. Who is goes to gRPC; who
// is not is closed before a byte of theirs is read.
//
// gRPC does not say when a connection has ended. So a duplicate of each
// descriptor is kept, and looked at when the next one comes: the peer's end, or
// gRPC's shutdown(), shows as an end of file there.
//
// Ownership: shared by the service and the actor that accepts; holds one
//            descriptor for each connection.
// Threads:   thread-safe.
// Bounds:    ControlOptions::max_connections. Lines in the log: at the 1st,
//            2nd, 4th, 8th... peer refused.
// Ends:      Close(): from then on everybody is turned away.

#ifndef TROLLEY_ACTORS_GRPC_CONNECTIONS_H_
#define TROLLEY_ACTORS_GRPC_CONNECTIONS_H_

#include <grpcpp/server_builder.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
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

  uint64_t refused_peers() const { return refused_peers_.load(); }
  uint64_t turned_away() const { return turned_away_.load(); }

 private:
  bool IsAllowed(uid_t uid) const;
  bool HasEnded(const ScopedFd& connection) const;
  void Count(std::atomic<uint64_t>& counter, const UnixCredentials& peer,
             absl::string_view why);

  const BusState::Ptr bus_;
  const std::string path_;
  const std::vector<uid_t> allowed_uids_;
  const uint32_t max_connections_;
  const std::unique_ptr<Acceptor> acceptor_;
  std::atomic<uint64_t> refused_peers_{0};
  std::atomic<uint64_t> turned_away_{0};

  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<ScopedFd> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace trolley::control

#endif  // TROLLEY_ACTORS_GRPC_CONNECTIONS_H_
