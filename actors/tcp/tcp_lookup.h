// SPDX-License-Identifier: Apache-2.0
//
// TcpLookup: how the name of a host becomes addresses. LookUpHost() asks the C
// library. A program whose names come from elsewhere has a function of its own:
//
//   trolley::TcpLinkOptions options;
//   options.blocking = pool->blocking();
//   options.lookup = [](const std::string& host, uint16_t port) {
//     return AskOurRegistry(host, port);
//   };
//
// Ownership: values.
// Threads:   a link calls it on a thread of TcpLinkOptions::blocking, and does
//            not wait for it longer than TcpLinkOptions::lookup_timeout. So the
//            function may be called by several threads at a time.
// Bounds:    a link uses the first kMostTcpAddresses addresses.

#ifndef TROLLEY_ACTORS_TCP_TCP_LOOKUP_H_
#define TROLLEY_ACTORS_TCP_TCP_LOOKUP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "trolley/actors/tcp/tcp_address.h"

namespace trolley {

// The addresses that a link tries in one attempt; a count. 8: more than a
// service has usually, and an attempt at all of them still ends.
inline constexpr size_t kMostTcpAddresses = 8;

// The addresses of `host`, with `port`, in the order in which they are tried.
using TcpLookup = std::function<absl::StatusOr<std::vector<TcpAddress>>(
    const std::string& host, uint16_t port)>;

// Asks getaddrinfo(3), and so /etc/hosts, DNS, or what else nsswitch.conf(5)
// says. It may wait for long.
//
//   NotFound            the name is not known, or it has no address
//   Unavailable         no name server has answered; try later
//   ResourceExhausted   no memory is left
//   Unknown             any other error; the text is the C library's
absl::StatusOr<std::vector<TcpAddress>> LookUpHost(const std::string& host,
                                                   uint16_t port);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TCP_TCP_LOOKUP_H_
