// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/links/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace trolley::links_test {
namespace {

template <typename T>
T Must(T result, const char* what) {
  if (result) return result;
  std::fprintf(stderr, "cannot make a certificate: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

std::FILE* Create(const std::string& path) {
  return Must(std::fopen(path.c_str(), "we"), path.c_str());
}

void Add(X509* certificate, X509* issuer, int what, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = Must(
      X509V3_EXT_conf_nid(nullptr, &context, what, text.c_str()), text.c_str());
  Must(X509_add_ext(certificate, extension, -1), "X509_add_ext");
  X509_EXTENSION_free(extension);
}

X509* Read(const std::string& path) {
  std::FILE* const file = Must(std::fopen(path.c_str(), "re"), path.c_str());
  X509* const read =
      Must(PEM_read_X509(file, nullptr, nullptr, nullptr), "PEM_read_X509");
  std::fclose(file);
  return read;
}

}  // namespace

X509* Authority::Make(const CertificateOptions& options, EVP_PKEY* key) {
  X509* const made = Must(X509_new(), "X509_new");
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(made), ++last_serial_);
  X509_time_adj_ex(X509_getm_notBefore(made), 0,
                   absl::ToInt64Seconds(options.begins), nullptr);
  X509_time_adj_ex(X509_getm_notAfter(made), 0,
                   absl::ToInt64Seconds(options.ends), nullptr);
  X509_NAME* const subject = X509_get_subject_name(made);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_UTF8,
      reinterpret_cast<const unsigned char*>(options.common_name.data()),
      static_cast<int>(options.common_name.size()), -1, 0);
  const bool own = options.signs_itself || own_ == nullptr;
  X509_set_issuer_name(made, own ? subject : X509_get_subject_name(own_));
  Must(X509_set_pubkey(made, key), "X509_set_pubkey");
  X509* const issuer = own ? made : own_;
  Add(made, issuer, NID_basic_constraints,
      options.may_sign ? "critical,CA:TRUE" : "critical,CA:FALSE");
  Add(made, issuer, NID_key_usage,
      options.may_sign ? "critical,keyCertSign,cRLSign"
                       : "critical,digitalSignature");
  Add(made, issuer, NID_subject_key_identifier, "hash");
  if (!options.names.empty()) {
    Add(made, issuer, NID_subject_alt_name, absl::StrJoin(options.names, ","));
  }
  Must(X509_sign(made, own ? key : key_, EVP_sha256()), "X509_sign");
  return made;
}

Authority::Authority(std::string folder, std::string name)
    : folder_(std::move(folder)), name_(std::move(name)) {
  key_ = Must(EVP_EC_gen("P-256"), "EVP_EC_gen");
  own_ = Make(
      {.common_name = absl::StrCat("the authority ", name_), .may_sign = true},
      key_);
  std::FILE* const file = Create(certificate());
  Must(PEM_write_X509(file, own_), "PEM_write_X509");
  std::fclose(file);
}

Authority::~Authority() {
  X509_free(own_);
  EVP_PKEY_free(key_);
}

void Authority::Issue(const std::string& name,
                      const CertificateOptions& options) {
  EVP_PKEY* const key = Must(EVP_EC_gen("P-256"), "EVP_EC_gen");
  X509* const made = Make(options, key);
  std::FILE* file = Create(KeyOf(name));
  Must(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr),
       "PEM_write_PrivateKey");
  std::fclose(file);
  file = Create(CertificateOf(name));
  Must(PEM_write_X509(file, made), "PEM_write_X509");
  std::fclose(file);
  X509_free(made);
  EVP_PKEY_free(key);
}

void Authority::WriteRevoked(const std::vector<std::string>& names) {
  X509_CRL* const list = Must(X509_CRL_new(), "X509_CRL_new");
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(own_));
  ASN1_TIME* const time = Must(ASN1_TIME_new(), "ASN1_TIME_new");
  X509_gmtime_adj(time, -3600);
  X509_CRL_set1_lastUpdate(list, time);
  for (const std::string& name : names) {
    X509* const certificate = Read(CertificateOf(name));
    X509_REVOKED* const revoked = Must(X509_REVOKED_new(), "X509_REVOKED_new");
    X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(revoked, time);
    Must(X509_CRL_add0_revoked(list, revoked), "X509_CRL_add0_revoked");
    X509_free(certificate);
  }
  X509_gmtime_adj(time, 3600);
  X509_CRL_set1_nextUpdate(list, time);
  ASN1_TIME_free(time);
  Must(X509_CRL_sign(list, key_, EVP_sha256()), "X509_CRL_sign");
  std::FILE* const file = Create(revoked());
  Must(PEM_write_X509_CRL(file, list), "PEM_write_X509_CRL");
  std::fclose(file);
  X509_CRL_free(list);
}

}  // namespace trolley::links_test
