// SPDX-License-Identifier: Apache-2.0
//
// TcpLinkOptions and TcpListenerOptions: the limits that all links and
// listeners have (actors/link/link_options.h), those of sockets of TCP
// (actors/tcp/tcp_socket_options.h), and these:
//
//   a link that dials    how names are looked up, and how long it waits
//   a listener           which peers may connect, how many, and how often
//
//   trolley::TcpListenerOptions options;
//   options.allowed_networks = {"10.0.0.0/8", "fd00::/8"};
//   options.link.write_deadline = absl::Seconds(3);
//
// Ownership: values. The constructor of an actor copies them.
// Threads:   immutable after construction.
// Errors:    a link or a listener logs the error of its options and ends.

#ifndef TROLLEY_ACTORS_TCP_TCP_LINK_OPTIONS_H_
#define TROLLEY_ACTORS_TCP_TCP_LINK_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/behaviour/blocking.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/tcp/tcp_lookup.h"
#include "trolley/actors/tcp/tcp_socket_options.h"

namespace trolley {

struct TcpLinkOptions : LinkOptions {
  TcpSocketOptions socket = {};

  // The threads that look names up, of a BlockingPool of the program. A link to
  // an address needs none.
  Blocking blocking = {};
  // How they do it. Not empty.
  TcpLookup lookup = LookUpHost;
  // How long the link waits for that. Above 0. 5 s: one lost question to a name
  // server, which is asked again.
  absl::Duration lookup_timeout = absl::Seconds(5);

  // How long the link waits for an answer of one address. Then it tries the
  // next one. Above 0. 3 s: the kernel asks again after 1 s, and after 2 s
  // more.
  absl::Duration connect_timeout = absl::Seconds(3);
};

// As ValidateLinkOptions, and the same for what is added here.
absl::Status ValidateTcpLinkOptions(const TcpLinkOptions& options);

struct TcpListenerOptions : ListenerOptions {
  // For each of its connections.
  LinkOptions link = {};
  TcpSocketOptions socket = {};

  // The networks whose addresses may connect; at least one. The default: this
  // machine alone, because TCP does not say who the peer is, and hides nothing
  // from the network. All addresses are {"0.0.0.0/0", "::/0"}.
  std::vector<std::string> allowed_networks = {"127.0.0.0/8", "::1/128"};

  // Connections of one address at one time; a count, at least 1. 64: a few
  // processes of one machine, and no machine takes all of max_connections.
  size_t max_connections_per_address = 64;

  // New connections of one address within a second; a count, at least 1. As
  // many may come at once after a second without any. 64: all of the above,
  // when they come back together.
  uint32_t max_new_per_second = 64;
};

// As ValidateListenerOptions, and the same for what is added here.
absl::Status ValidateTcpListenerOptions(const TcpListenerOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_LINK_OPTIONS_H_
