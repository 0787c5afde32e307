// SPDX-License-Identifier: Apache-2.0
//
// TlsSession: the TLS 1.3 of one connection (RFC 8446), by OpenSSL over memory.
// It makes no system call.
//
// Ownership: the connection of the link owns it.
// Threads:   loop thread only.
// Bounds:    what Commit() and Seal() got, as records; kMostAnswers bytes that
//            OpenSSL has to say to the peer, which is more than any handshake
//            needs.
// Ends:      with the connection.

#ifndef TROLLEY_ACTORS_TLS_INTERNAL_TLS_SESSION_H_
#define TROLLEY_ACTORS_TLS_INTERNAL_TLS_SESSION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/link/link_session.h"
#include "trolley/actors/tls/internal/openssl.h"
#include "trolley/actors/tls/tls_options.h"

namespace trolley::internal {

class TlsSession final : public LinkSession {
 public:
  static constexpr size_t kMostAnswers = 256 << 10;

  // Dials: the certificate of the peer must have `peer_name`, a DNS name or an
  // IP address.
  static absl::StatusOr<std::unique_ptr<LinkSession>> Dial(
      SslPtr ssl, const TlsOptions& options, const std::string& peer_name);
  static absl::StatusOr<std::unique_ptr<LinkSession>> Accept(
      SslPtr ssl, const TlsOptions& options);

  absl::Span<char> PrepareRead() override;
  void Commit(size_t bytes) override;
  absl::StatusOr<bool> Shake() override;
  absl::Status Identify(LinkPeer& peer) override;
  absl::StatusOr<std::optional<size_t>> Open(absl::Span<char> into) override;
  absl::Status Seal(absl::Span<const iovec> parts) override;
  absl::Span<const char> sealed() const override;
  size_t Wrote(size_t bytes) override;
  void Close() override;

 private:
  // A record: the peer can open `plain` bytes when it has all to `end`, counted
  // from the first byte that was ever sealed.
  struct Record {
    uint64_t end = 0;
    size_t plain = 0;
  };

  TlsSession(SslPtr ssl, const TlsOptions& options, std::string peer_name);
  // Gives the session its memory.
  absl::Status Begin();
  absl::Status SealRecord(const char* data, size_t bytes);
  // OpenSSL calls it for each certificate of the chain of the peer.
  static int OnVerify(int ok, X509_STORE_CTX* chain);
  // What made the handshake, or a record, fail.
  absl::Status Failure(absl::string_view what);
  std::string WhyNotTrusted(long verdict) const;

  const SslPtr ssl_;
  const TlsOptions options_;
  const std::string peer_name_;  // empty: accepted
  BIO* incoming_ = nullptr;      // owned by ssl_, as the next one
  BIO* outgoing_ = nullptr;
  size_t taken_ = 0;          // bytes of outgoing_ that the socket has
  uint64_t sealed_ever_ = 0;  // bytes that were ever in outgoing_ and taken
  std::deque<Record> records_;
  std::array<char, 32 << 10> room_;          // PrepareRead()
  std::array<unsigned char, 4> first_ = {};  // bytes of the peer
  size_t first_bytes_ = 0;
  std::vector<std::string> untrusted_;  // the names of a peer that failed
  bool complete_ = false;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TLS_INTERNAL_TLS_SESSION_H_
