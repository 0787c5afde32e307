// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/internal/tls_session.h"

#include <arpa/inet.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/poller/printable.h"
#include "trolley/proto/wire_error.h"

namespace trolley::internal {
namespace {

// The plain bytes of one record (RFC 8446, section 5.1).
constexpr size_t kRecordBytes = 16 << 10;

bool IsIpAddress(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

std::string TextOf(const ASN1_STRING* string) {
  return Printable(absl::string_view(
      reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
      ASN1_STRING_length(string)));
}

std::string IpOf(const ASN1_OCTET_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  const int size = family == AF_INET ? 4 : 16;
  if (ASN1_STRING_length(bytes) != size) return "";
  ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text));
  return text;
}

// See TlsPeer::names.
std::vector<std::string> NamesIn(X509* certificate) {
  std::vector<std::string> uris;
  std::vector<std::string> dns;
  std::vector<std::string> ips;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) {
      uris.push_back(TextOf(name->d.uniformResourceIdentifier));
    } else if (name->type == GEN_DNS) {
      dns.push_back(TextOf(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
      ips.push_back(IpOf(name->d.iPAddress));
    }
  }
  std::vector<std::string> all = std::move(uris);
  all.insert(all.end(), dns.begin(), dns.end());
  all.insert(all.end(), ips.begin(), ips.end());
  if (!all.empty()) return all;
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) {
    all.push_back(
        TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  }
  return all;
}

}  // namespace

TlsSession::TlsSession(SslPtr ssl, const TlsOptions& options,
                       std::string peer_name)
    : ssl_(std::move(ssl)),
      options_(options),
      peer_name_(std::move(peer_name)) {}

absl::Status TlsSession::Begin() {
  incoming_ = BIO_new(BIO_s_mem());
  outgoing_ = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl_.get(), incoming_, outgoing_);
  if (incoming_ == nullptr || outgoing_ == nullptr) {
    return absl::ResourceExhaustedError(OpenSslError());
  }
  BIO_set_mem_eof_return(incoming_, -1);  // no bytes: there may be more later
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_get_verify_mode(ssl_.get()), OnVerify);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<LinkSession>> TlsSession::Dial(
    SslPtr ssl, const TlsOptions& options, const std::string& peer_name) {
  std::unique_ptr<TlsSession> session(
      new TlsSession(std::move(ssl), options, peer_name));
  if (absl::Status begun = session->Begin(); !begun.ok()) return begun;
  SSL* const s = session->ssl_.get();
  SSL_set_connect_state(s);
  // mutant: P14_TheNameOfTheHostIsNotLookedAt
  const bool named =
      IsIpAddress(peer_name)
          ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s),
                                          peer_name.c_str()) == 1
          : SSL_set1_host(s, peer_name.c_str()) == 1 &&
                SSL_set_tlsext_host_name(s, peer_name.c_str()) == 1;
  if (!named) {
    return absl::InvalidArgumentError(absl::StrCat(
        Printable(peer_name), " is no name of a host: ", OpenSslError()));
  }
  return session;
}

absl::StatusOr<std::unique_ptr<LinkSession>> TlsSession::Accept(
    SslPtr ssl, const TlsOptions& options) {
  std::unique_ptr<TlsSession> session(
      new TlsSession(std::move(ssl), options, ""));
  if (absl::Status begun = session->Begin(); !begun.ok()) return begun;
  SSL_set_accept_state(session->ssl_.get());
  return session;
}

// --- Reading ---------------------------------------------------------------

absl::Span<char> TlsSession::PrepareRead() { return absl::MakeSpan(room_); }

void TlsSession::Commit(size_t bytes) {
  const size_t more = std::min(bytes, first_.size() - first_bytes_);
  std::memcpy(first_.data() + first_bytes_, room_.data(), more);
  first_bytes_ += more;
  BIO_write(incoming_, room_.data(), static_cast<int>(bytes));
}

absl::StatusOr<bool> TlsSession::Shake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  if (done == 1) {
    complete_ = true;
    return true;
  }
  if (SSL_get_error(ssl_.get(), done) == SSL_ERROR_WANT_READ) return false;
  return Failure("the handshake of TLS failed: ");
}

absl::StatusOr<std::optional<size_t>> TlsSession::Open(absl::Span<char> into) {
  ERR_clear_error();
  // mutant: P14_AnswersOfTlsPileUp
  if (sealed().size() > kMostAnswers) {
    return absl::ResourceExhaustedError(
        "the peer asks for answers of TLS and does not read them");
  }
  size_t bytes = 0;
  const int got = SSL_read_ex(ssl_.get(), into.data(), into.size(), &bytes);
  if (got == 1) return std::optional<size_t>(bytes);
  switch (SSL_get_error(ssl_.get(), got)) {
    case SSL_ERROR_WANT_READ:
      return std::optional<size_t>(0);
    case SSL_ERROR_ZERO_RETURN:
      return std::optional<size_t>();
    default:
      return Failure("TLS: ");
  }
}

// --- Writing ---------------------------------------------------------------

absl::Status TlsSession::SealRecord(const char* data, size_t bytes) {
  ERR_clear_error();
  size_t written = 0;
  if (SSL_write_ex(ssl_.get(), data, bytes, &written) != 1) {
    return absl::InternalError(OpenSslError());
  }
  records_.push_back(
      {.end = sealed_ever_ + taken_ + sealed().size(), .plain = written});
  return absl::OkStatus();
}

// Small parts share a record.
absl::Status TlsSession::Seal(absl::Span<const iovec> parts) {
  std::string gathered;
  const auto seal_gathered = [&] {
    absl::Status sealed = SealRecord(gathered.data(), gathered.size());
    gathered.clear();
    return sealed;
  };
  for (const iovec& part : parts) {
    const char* data = static_cast<const char*>(part.iov_base);
    size_t left = part.iov_len;
    while (left > 0) {
      if (gathered.empty() && left >= kRecordBytes) {
        absl::Status sealed = SealRecord(data, kRecordBytes);
        if (!sealed.ok()) return sealed;
        data += kRecordBytes;
        left -= kRecordBytes;
        continue;
      }
      const size_t more = std::min(left, kRecordBytes - gathered.size());
      gathered.append(data, more);
      data += more;
      left -= more;
      if (gathered.size() < kRecordBytes) continue;
      if (absl::Status sealed = seal_gathered(); !sealed.ok()) return sealed;
    }
  }
  return gathered.empty() ? absl::OkStatus() : seal_gathered();
}

absl::Span<const char> TlsSession::sealed() const {
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(outgoing_, &data);
  return absl::MakeConstSpan(data, std::max<long>(bytes, 0)).subspan(taken_);
}

size_t TlsSession::Wrote(size_t bytes) {
  taken_ += bytes;
  size_t plain = 0;
  // mutant: P15_ARecordThatIsCutCountsAsWritten
  while (!records_.empty() && records_.front().end <= sealed_ever_ + taken_) {
    plain += records_.front().plain;
    records_.pop_front();
  }
  if (sealed().empty()) {
    sealed_ever_ += taken_;
    taken_ = 0;
    static_cast<void>(BIO_reset(outgoing_));
  }
  return plain;
}

void TlsSession::Close() {
  ERR_clear_error();
  if (complete_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// --- The peer --------------------------------------------------------------

absl::Status TlsSession::Identify(LinkPeer& peer) {
  TlsPeer known{.names = {}, .address = peer.name};
  if (const X509Ptr certificate(SSL_get1_peer_certificate(ssl_.get()));
      certificate != nullptr) {
    known.names = NamesIn(certificate.get());
  }
  const std::string shown =
      known.names.empty() ? "a peer without a name" : known.names.front();
  const std::vector<std::string>& allowed = options_.allowed_names;
  // mutant: P14_EveryNameIsAllowed
  const bool is_allowed =
      allowed.empty() ||
      std::any_of(known.names.begin(), known.names.end(),
                  [&](const std::string& name) {
                    return std::find(allowed.begin(), allowed.end(), name) !=
                           allowed.end();
                  });
  if (!is_allowed) {
    return wire::MakeWireError(
        wire::WireError::kNotPermitted,
        absl::StrCat(shown,
                     " may not connect; the names in TlsOptions::allowed_names "
                     "may"));
  }
  if (options_.authorize) {
    if (const absl::Status permitted = options_.authorize(known);
        !permitted.ok()) {
      return wire::MakeWireError(wire::WireError::kNotPermitted,
                                 Printable(permitted.message()));
    }
  }
  if (!known.names.empty()) {
    peer.name = absl::StrCat(shown, " at ", known.address);
    peer.identity = shown;
  }
  return absl::OkStatus();
}

// It decides nothing. OpenSSL keeps no certificate that it does not trust.
int TlsSession::OnVerify(int ok, X509_STORE_CTX* chain) {
  const int index = SSL_get_ex_data_X509_STORE_CTX_idx();
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, index));
  auto* const session = static_cast<TlsSession*>(SSL_get_app_data(ssl));
  X509* const certificate = X509_STORE_CTX_get0_cert(chain);
  if (ok == 0 && certificate != nullptr) {
    session->untrusted_ = NamesIn(certificate);
  }
  return ok;
}

std::string TlsSession::WhyNotTrusted(long verdict) const {
  std::string why = absl::StrCat("the certificate of the peer is not trusted: ",
                                 X509_verify_cert_error_string(verdict));
  if (untrusted_.empty()) return why;
  if (verdict == X509_V_ERR_HOSTNAME_MISMATCH ||
      verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    absl::StrAppend(&why, ": it must have ", Printable(peer_name_),
                    ", and has ", absl::StrJoin(untrusted_, ", "));
  } else {
    absl::StrAppend(&why, "; it is that of ", untrusted_.front());
  }
  return why;
}

absl::Status TlsSession::Failure(absl::string_view what) {
  // The first byte of a record is its type, 20 to 23 (RFC 8446, section 5.1).
  const bool is_tls = first_bytes_ == 0 || (first_[0] >= 20 && first_[0] <= 23);
  if (!is_tls) {
    const absl::string_view began(reinterpret_cast<char*>(first_.data()),
                                  first_bytes_);
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat(
        "the peer does not speak TLS: ",
        began == "TRLY" ? "it is a link without TLS"
                        : absl::StrCat("its first bytes are ",
                                       absl::BytesToHexString(began))));
  }
  const long verdict = SSL_get_verify_result(ssl_.get());
  const std::string error = OpenSslError();
  if (verdict != X509_V_OK) {
    return absl::UnauthenticatedError(WhyNotTrusted(verdict));
  }
  // An alert of the peer: "tlsv13 alert certificate required".
  return absl::StrContains(error, "alert")
             ? absl::UnauthenticatedError(
                   absl::StrCat(what, "the peer said: ", error))
             : absl::InvalidArgumentError(absl::StrCat(what, error));
}

}  // namespace trolley::internal
