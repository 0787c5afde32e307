// SPDX-License-Identifier: Apache-2.0
//
// TcpSocketOptions: when the kernel gives a connection up because its peer has
// vanished: a machine without power, a cut cable, a firewall that has forgotten
// the connection. A peer that ends in order, and one whose process is killed,
// is known at once without these.
//
//   trolley::TcpLinkOptions options;
//   options.socket.unacknowledged_limit = absl::Seconds(5);
//
// Each connection also has TCP_NODELAY: the link gathers small messages itself.
//
// Ownership: values. The constructor of an actor copies them.
// Threads:   immutable after construction.

#ifndef TROLLEY_ACTORS_TCP_TCP_SOCKET_OPTIONS_H_
#define TROLLEY_ACTORS_TCP_TCP_SOCKET_OPTIONS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/poller/sys.h"

namespace trolley {

struct TcpSocketOptions {
  // The kernel probes a connection that is idle for so long, and probes again
  // after each interval without an answer. Both: above 0, at most 32767 s,
  // rounded up to seconds. An infinite keepalive_idle: the kernel probes never.
  // 15 s and 5 s: sooner than most firewalls forget a connection, and a few
  // bytes an hour for each.
  absl::Duration keepalive_idle = absl::Seconds(15);
  absl::Duration keepalive_interval = absl::Seconds(5);
  // Probes without an answer that end the connection; a count, 1 to 127. It
  // counts where unacknowledged_limit is infinite.
  int keepalive_count = 3;

  // How long bytes or probes may stay without an answer. Then the kernel ends
  // the connection. Above 0, at most 2^31 - 1 ms, rounded up to milliseconds.
  // Infinite: as tcp_retries2 of the kernel has it, which is a quarter of an
  // hour. 20 s: longer than a switch or a router needs to come back.
  absl::Duration unacknowledged_limit = absl::Seconds(20);
};

// OK, or InvalidArgument: the text names the field, its value and its range.
absl::Status ValidateTcpSocketOptions(const TcpSocketOptions& options);

// Sets them for the socket `fd`. A socket that listens hands them on to the
// connections that it accepts. Errors: of setsockopt(2), with the name of the
// option (poller/errno_status.h).
absl::Status SetTcpSocketOptions(Sys& sys, int fd,
                                 const TcpSocketOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_SOCKET_OPTIONS_H_
