// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/errno_status.h"

#include <cerrno>

int main() {
  return trolley::ErrnoStatus(ENOENT, trolley::SysCall::kOpenat, "a file")
                     .code() == absl::StatusCode::kNotFound
             ? 0
             : 1;
}
