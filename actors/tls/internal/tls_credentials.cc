// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/internal/tls_credentials.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "trolley/poller/scoped_fd.h"

namespace trolley::internal {
namespace {

// The protocol in the handshake (RFC 7301).
constexpr unsigned char kAlpn[] = "\x09trolley/1";
constexpr size_t kAlpnBytes = sizeof(kAlpn) - 1;

absl::Status Unusable(absl::string_view field, absl::string_view file) {
  return absl::InvalidArgumentError(
      absl::StrCat("TlsOptions::", field, ": ", file, ": ", OpenSslError()));
}

// A listener takes a peer that offers this protocol, or none at all.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned int bytes, void*) {
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, size, kAlpn, kAlpnBytes, offered,
                            bytes) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

// A key that has a password is not asked for it on the terminal.
int NoPassword(char*, int, int, void*) { return 0; }

}  // namespace

absl::StatusOr<SslContextPtr> TlsCredentials::Read() const {
  ERR_clear_error();
  const SslContextPtr context(
      SSL_CTX_new(role_ == TlsRole::kLink ? TLS_client_method()
                                          : TLS_server_method()),
      SSL_CTX_free);
  if (context == nullptr) return absl::InternalError(OpenSslError());
  SSL_CTX* const c = context.get();
  SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION);
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
  // A link dials seldom, and each of its connections has a full handshake.
  SSL_CTX_set_num_tickets(c, 0);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(c, NoPassword);
  if (role_ == TlsRole::kLink) {
    SSL_CTX_set_alpn_protos(c, kAlpn, kAlpnBytes);
  } else {
    SSL_CTX_set_alpn_select_cb(c, ChooseProtocol, nullptr);
  }
  // mutant: P14_APeerWithoutACertificateMayConnect
  SSL_CTX_set_verify(c,
                     role_ == TlsRole::kStrictListener
                         ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                         : SSL_VERIFY_PEER,
                     nullptr);
  const TlsOptions& o = options_;
  if (SSL_CTX_load_verify_file(c, o.trusted_file.c_str()) != 1) {
    return Unusable("trusted_file", o.trusted_file);
  }
  if (role_ != TlsRole::kLink) {
    // So a peer that has several certificates can choose one.
    SSL_CTX_set_client_CA_list(c,
                               SSL_load_client_CA_file(o.trusted_file.c_str()));
  }
  if (!o.certificate_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(c, o.certificate_file.c_str()) !=
        1) {
      return Unusable("certificate_file", o.certificate_file);
    }
    if (SSL_CTX_use_PrivateKey_file(c, o.key_file.c_str(), SSL_FILETYPE_PEM) !=
            1 ||
        SSL_CTX_check_private_key(c) != 1) {
      return Unusable("key_file", o.key_file);
    }
  }
  if (!o.revoked_file.empty()) {
    X509_STORE* const store = SSL_CTX_get_cert_store(c);
    X509_LOOKUP* const lookup =
        X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup == nullptr || X509_load_crl_file(lookup, o.revoked_file.c_str(),
                                                X509_FILETYPE_PEM) < 1) {
      return Unusable("revoked_file", o.revoked_file);
    }
    // mutant: P14_ARevokedCertificateIsTrusted
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  return context;
}

std::string TlsCredentials::Fingerprint(Sys& sys) const {
  std::string fingerprint;
  for (const std::string* file :
       {&options_.certificate_file, &options_.key_file, &options_.trusted_file,
        &options_.revoked_file}) {
    if (file->empty()) continue;
    const ScopedFd fd(sys, sys.Openat(AT_FDCWD, file->c_str(),
                                      O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0));
    struct stat about = {};
    const int told = fd ? sys.Fstat(fd.get(), &about) : fd.get();
    absl::StrAppend(&fingerprint, told, " ", about.st_dev, " ", about.st_ino,
                    " ", about.st_size, " ", about.st_mtim.tv_sec, " ",
                    about.st_mtim.tv_nsec, ";");
  }
  return fingerprint;
}

absl::Status TlsCredentials::Load() {
  absl::StatusOr<SslContextPtr> read = Read();
  if (read.ok()) context_ = *std::move(read);
  return read.status();
}

absl::StatusOr<SslPtr> TlsCredentials::NewSsl(
    Sys& sys, Instant now, absl::FunctionRef<void(absl::string_view)> log) {
  if (now - looked_at_ >= options_.reload_interval) {
    looked_at_ = now;
    // Before the files are read: a change meanwhile is seen at the next look.
    std::string fingerprint = Fingerprint(sys);
    // mutant: P13_ANewCertificateNeedsARestart
    if (fingerprint != fingerprint_) {
      fingerprint_ = std::move(fingerprint);
      if (absl::Status loaded = Load(); !loaded.ok()) {
        log(absl::StrCat("the certificates stay as they were: ",
                         loaded.message()));
      }
    }
  }
  if (context_ == nullptr) {
    return absl::FailedPreconditionError("no certificates are loaded");
  }
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return absl::ResourceExhaustedError(OpenSslError());
  return ssl;
}

}  // namespace trolley::internal
