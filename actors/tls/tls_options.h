// SPDX-License-Identifier: Apache-2.0
//
// TlsOptions: the certificates of this process, and which peers it trusts.
//
//   trolley::TlsOptions tls{.certificate_file = "/etc/orders/tls.crt",
//                           .key_file = "/etc/orders/tls.key",
//                           .trusted_file = "/etc/orders/ca.crt"};
//
// All files are PEM. They are read when the link or the listener starts. Each
// new connection looks at them again if the last look is reload_interval ago:
// so a certificate that was replaced is used without a restart. If the new
// files are not valid, the old ones stay, and the log has a line.
//
// Ownership: values. The constructor of an actor copies them.
// Threads:   immutable after construction.
// Errors:    InvalidArgument names the field and the file.

#ifndef TROLLEY_ACTORS_TLS_TLS_OPTIONS_H_
#define TROLLEY_ACTORS_TLS_TLS_OPTIONS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "trolley/actors/link/link_options.h"
#include "trolley/actors/tcp/tcp_link_options.h"

namespace trolley {

// A peer whose certificate is trusted.
struct TlsPeer {
  // The names in the certificate: its URIs, then its DNS names, then its IP
  // addresses; printable. Without any: its common name. Empty: the peer has no
  // certificate.
  std::vector<std::string> names;
  std::string address;  // LinkPeer::name of the connection
};

struct TlsOptions {
  // The certificate of this process, and behind it those that lead to one that
  // its peers trust. A listener needs it. A link needs it if its listener asks
  // for it. Empty: none.
  std::string certificate_file = {};
  // Its private key, without a password. Empty: none.
  std::string key_file = {};
  // The authorities whose certificates this process trusts. Needed.
  std::string trusted_file = {};
  // Revocation lists of these authorities. Empty: no certificate is revoked.
  std::string revoked_file = {};

  // The peers that this process talks to: one of these is a name in their
  // certificate (TlsPeer::names). Empty: every peer whose certificate is
  // trusted; a link still checks the name of the host that it dials.
  std::vector<std::string> allowed_names = {};
  // Decides about a peer that has passed all of the above. Runs on the loop of
  // the link; must return soon and not throw. An error turns the peer away, and
  // the peer gets the text. Empty: all may talk.
  std::function<absl::Status(const TlsPeer&)> authorize = {};

  // How long a look at the files is good; a duration of at least 0. 10 s: a new
  // certificate is replaced days before the old one ends.
  absl::Duration reload_interval = absl::Seconds(10);
};

struct TlsLinkOptions : TcpLinkOptions {
  TlsOptions tls = {};
  // The name that the certificate of the peer must have. Empty: the host that
  // the link dials.
  std::string peer_name = {};
};

// As ValidateTcpLinkOptions, and the same for the fields that are added here.
// The call reads no file.
absl::Status ValidateTlsLinkOptions(const TlsLinkOptions& options);

struct TlsListenerOptions : TcpListenerOptions {
  TlsListenerOptions() { allowed_networks = {"0.0.0.0/0", "::/0"}; }

  TlsOptions tls = {};
  // True: a peer without a certificate may not connect.
  bool peers_need_certificates = true;
};

// As ValidateTcpListenerOptions, and the same for the fields that are added
// here. The call reads no file.
absl::Status ValidateTlsListenerOptions(const TlsListenerOptions& options);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_TLS_TLS_OPTIONS_H_
