// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/grpc_link_options.h"

#include "absl/strings/str_cat.h"

namespace trolley {

absl::Status ValidateGrpcLinkOptions(const GrpcLinkOptions& options) {
  absl::Status valid = ValidateLinkOptions(options);
  if (!valid.ok()) return valid;
  if (options.credentials == nullptr) {
    return absl::InvalidArgumentError(
        "GrpcLinkOptions::credentials is null; for plain text, say so with "
        "grpc::InsecureChannelCredentials()");
  }
  if (options.connect_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "GrpcLinkOptions::connect_timeout is ",
        absl::FormatDuration(options.connect_timeout), "; it is above 0"));
  }
  return absl::OkStatus();
}

absl::Status ValidateBridgeOptions(const BridgeOptions& options) {
  absl::Status valid = ValidateListenerOptions(options);
  if (valid.ok()) valid = ValidateLinkOptions(options.link);
  if (!valid.ok()) return valid;
  constexpr uint32_t kMostKept = 65536;
  if (options.kept_events == 0 || options.kept_events > kMostKept) {
    return absl::InvalidArgumentError(
        absl::StrCat("BridgeOptions::kept_events is ", options.kept_events,
                     "; it is 1 to ", kMostKept));
  }
  if (options.resume_within <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "BridgeOptions::resume_within is ",
        absl::FormatDuration(options.resume_within), "; it is above 0"));
  }
  return absl::OkStatus();
}

}  // namespace trolley
