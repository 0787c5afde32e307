// SPDX-License-Identifier: Apache-2.0
//
// Authority: makes certificates for tests, good and bad ones.
//
//   Authority authority(folder, "ca");
//   authority.Issue("server", {.names = {"DNS:localhost"}});
//   TlsOptions tls{.certificate_file = authority.CertificateOf("server"),
//                  .key_file = authority.KeyOf("server"),
//                  .trusted_file = authority.certificate()};
//
// Ownership: the files are in `folder`, which the caller owns.
// Threads:   one at a time. A call that fails ends the process: a test must not
//            go on with a certificate that is not there.

#ifndef TROLLEY_TESTS_LINKS_CERTIFICATES_H_
#define TROLLEY_TESTS_LINKS_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace trolley::links_test {

struct CertificateOptions {
  // As OpenSSL writes them: "DNS:a.example", "IP:127.0.0.1", "URI:spiffe://a".
  std::vector<std::string> names = {};
  std::string common_name = "a test";
  // When it is valid, from now.
  absl::Duration begins = -absl::Hours(1);
  absl::Duration ends = absl::Hours(1);
  bool signs_itself = false;  // no authority has signed it
  bool may_sign = false;      // it is an authority
};

class Authority {
 public:
  Authority(std::string folder, std::string name);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // Its own, which its peers trust.
  std::string certificate() const { return CertificateOf(name_); }
  // Its revocation list; from WriteRevoked() on.
  std::string revoked() const { return folder_ + "/" + name_ + ".crl"; }

  // Writes NAME.crt and NAME.key, in place of older ones.
  void Issue(const std::string& name, const CertificateOptions& options);
  std::string CertificateOf(const std::string& name) const {
    return folder_ + "/" + name + ".crt";
  }
  std::string KeyOf(const std::string& name) const {
    return folder_ + "/" + name + ".key";
  }
  // Writes the list, with the last certificates of these names.
  void WriteRevoked(const std::vector<std::string>& names);

 private:
  X509* Make(const CertificateOptions& options, EVP_PKEY* key);

  const std::string folder_;
  const std::string name_;
  int64_t last_serial_ = 0;
  EVP_PKEY* key_ = nullptr;
  X509* own_ = nullptr;
};

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_CERTIFICATES_H_
