// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/tls_options.h"

#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("TlsOptions::", field, " ", what));
}

absl::Status Validate(const TlsOptions& options) {
  if (options.trusted_file.empty()) {
    return Invalid("trusted_file", "is empty; no peer could be trusted");
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return options.key_file.empty()
               ? Invalid("key_file", "is empty, and certificate_file is not")
               : Invalid("certificate_file", "is empty, and key_file is not");
  }
  for (const std::string& name : options.allowed_names) {
    if (name.empty()) return Invalid("allowed_names", "has an empty name");
  }
  if (options.reload_interval < absl::ZeroDuration()) {
    return Invalid(
        "reload_interval",
        absl::StrCat("is ", absl::FormatDuration(options.reload_interval),
                     "; it is at least 0"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTlsLinkOptions(const TlsLinkOptions& options) {
  absl::Status valid = ValidateTcpLinkOptions(options);
  return valid.ok() ? Validate(options.tls) : valid;
}

absl::Status ValidateTlsListenerOptions(const TlsListenerOptions& options) {
  absl::Status valid = ValidateTcpListenerOptions(options);
  if (valid.ok()) valid = Validate(options.tls);
  if (valid.ok() && options.tls.certificate_file.empty()) {
    return Invalid("certificate_file", "is empty; a listener needs one");
  }
  return valid;
}

}  // namespace trolley
