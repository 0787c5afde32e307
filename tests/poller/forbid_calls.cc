// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/poller/forbid_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "tell the filter which architecture the numbers of calls belong to"
#endif

absl::Status Refused(const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat("prctl(", what, "): ", std::strerror(errno)));
}

}  // namespace

absl::Status ForbidCalls(const std::vector<int>& calls, int error) {
  if (calls.size() > kMostForbidden) {
    return absl::InvalidArgumentError("too many calls for one filter");
  }
  const auto load = [](size_t offset) -> sock_filter {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
  };
  // A filter is a little program over the number of the call; a jump counts
  // the steps it leaves out.
  std::vector<sock_filter> steps = {
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      load(offsetof(seccomp_data, nr)),
  };
  for (const int call : calls) {
    steps.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(call), 0, 1));
    steps.push_back(BPF_STMT(BPF_RET | BPF_K,
                             SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)));
  }
  steps.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program = {.len = static_cast<uint16_t>(steps.size()),
                              .filter = steps.data()};
  // Without this only root may set a filter.
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Refused("PR_SET_NO_NEW_PRIVS");
  }
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    return Refused("PR_SET_SECCOMP");
  }
  return absl::OkStatus();
}

std::optional<std::vector<int>> CallsOf(std::string_view poller) {
  if (poller == "io_uring") {
    return std::vector<int>{__NR_io_uring_setup, __NR_io_uring_enter,
                            __NR_io_uring_register};
  }
  if (poller == "epoll") return std::vector<int>{__NR_epoll_create1};
  return std::nullopt;
}

}  // namespace trolley
