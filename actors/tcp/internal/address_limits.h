// SPDX-License-Identifier: Apache-2.0
//
// AddressLimits: how many connections each address has, and how often it opens
// one. A TcpListener asks it before it spawns a link.
//
//   absl::Status admitted = limits.Admit("10.0.0.7", context().Now());
//   ...
//   limits.Leave("10.0.0.7");  // the connection has ended
//
// Each address has a bucket of `most_new` connections, which fills up again
// within a second.
//
// Ownership: shared by a listener and its links, which may outlive it.
// Threads:   loop thread only: the loop of the listener, and of its links.
// Bounds:    an address with a connection has an entry. Of those without one,
//            it remembers kMostIdle. When there are more, it forgets those
//            whose bucket is full. If none is, it forgets all of these
//            addresses, each of which may then open a bucket of connections.
// Ends:      with its owners.

#ifndef TROLLEY_ACTORS_TCP_INTERNAL_ADDRESS_LIMITS_H_
#define TROLLEY_ACTORS_TCP_INTERNAL_ADDRESS_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "trolley/poller/instant.h"

namespace trolley::internal {

class AddressLimits {
 public:
  static constexpr size_t kMostIdle = 4096;

  AddressLimits(size_t most_open, uint32_t most_new)
      : most_open_(most_open), most_new_(most_new) {}

  // Counts a new connection of `address`. ResourceExhausted: a limit is met.
  // The text names the option, and the caller does not call Leave().
  absl::Status Admit(const std::string& address, Instant now);
  // A connection that was admitted has ended.
  void Leave(const std::string& address);

  // Connections refused: an address had too many, and came too often; counts.
  uint64_t too_many() const { return too_many_; }
  uint64_t too_often() const { return too_often_; }
  // Addresses that it remembers; a count.
  size_t addresses() const { return entries_.size(); }

 private:
  struct Entry {
    size_t open = 0;
    double left = 0;  // new connections that it may open, at `at`
    Instant at;
  };

  void Fill(Entry& entry, Instant now) const;
  void ForgetIdle(Instant now);

  const size_t most_open_;
  const uint32_t most_new_;
  absl::flat_hash_map<std::string, Entry> entries_;
  size_t with_connections_ = 0;  // entries whose `open` is above 0
  uint64_t too_many_ = 0;
  uint64_t too_often_ = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TCP_INTERNAL_ADDRESS_LIMITS_H_
