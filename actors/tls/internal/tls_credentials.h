// SPDX-License-Identifier: Apache-2.0
//
// TlsCredentials: the certificates of a TlsOptions as OpenSSL has them, which
// are read again when their files have changed.
//
//   TlsCredentials credentials(options, TlsRole::kListener);
//   absl::Status loaded = credentials.Load();
//   SslPtr ssl = credentials.NewSsl(sys, now, log);
//
// Ownership: the dialer or the acceptor owns it. A connection keeps those that
//            it began with.
// Threads:   one at a time. Load() reads files, and so does NewSsl() at most
//            once in each reload_interval.
// Bounds:    the files.
// Ends:      the destructor.

#ifndef TROLLEY_ACTORS_TLS_INTERNAL_TLS_CREDENTIALS_H_
#define TROLLEY_ACTORS_TLS_INTERNAL_TLS_CREDENTIALS_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/tls/internal/openssl.h"
#include "trolley/actors/tls/tls_options.h"
#include "trolley/poller/instant.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

enum class TlsRole {
  kLink,            // it dials
  kListener,        // it accepts, and its peers need no certificate
  kStrictListener,  // it accepts, and its peers need one
};

class TlsCredentials {
 public:
  TlsCredentials(const TlsOptions& options, TlsRole role)
      : options_(options), role_(role) {}

  // Reads the files. InvalidArgument: one cannot be read or used, or the key is
  // not that of the certificate. The text names the field and the file.
  absl::Status Load();

  // For one connection. `log` gets a line if the files have changed and are not
  // valid.
  absl::StatusOr<SslPtr> NewSsl(Sys& sys, Instant now,
                                absl::FunctionRef<void(absl::string_view)> log);

  TlsRole role() const { return role_; }

 private:
  // Changes when one of the files does.
  std::string Fingerprint(Sys& sys) const;
  absl::StatusOr<SslContextPtr> Read() const;

  const TlsOptions& options_;
  const TlsRole role_;
  SslContextPtr context_;    // from Load() on
  std::string fingerprint_;  // of the last look
  Instant looked_at_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TLS_INTERNAL_TLS_CREDENTIALS_H_
