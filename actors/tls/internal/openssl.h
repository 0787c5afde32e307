// SPDX-License-Identifier: Apache-2.0
//
// Owners of the objects of OpenSSL, and its errors as texts.
//
//   SslPtr ssl(SSL_new(context.get()));
//   if (ssl == nullptr) return absl::InternalError(OpenSslError());
//
// Threads:   an error belongs to the thread whose call failed.

#ifndef TROLLEY_ACTORS_TLS_INTERNAL_OPENSSL_H_
#define TROLLEY_ACTORS_TLS_INTERNAL_OPENSSL_H_

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace trolley::internal {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using SslContextPtr = std::shared_ptr<SSL_CTX>;
using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using GeneralNamesPtr =
    std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;

// The first error of this thread since the last call, and forgets the others:
// "unsupported protocol". Printable.
std::string OpenSslError();

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_TLS_INTERNAL_OPENSSL_H_
