// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tls/internal/openssl.h"

#include <openssl/err.h>

#include <system_error>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {

std::string OpenSslError() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "OpenSSL says no reason";
  if (ERR_SYSTEM_ERROR(error)) {
    return std::generic_category().message(ERR_GET_REASON(error));
  }
  const char* const reason = ERR_reason_error_string(error);
  return reason != nullptr ? Printable(reason)
                           : absl::StrCat("error ", error, " of OpenSSL");
}

}  // namespace trolley::internal
