// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/fault_sys.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>

namespace trolley {
namespace {

constexpr int kTransfer[] = {EINTR, EAGAIN, EIO, ECONNRESET};
constexpr int kSending[] = {EINTR, EAGAIN, EPIPE, ENOBUFS, ENOSPC};
constexpr int kMaking[] = {EMFILE, ENFILE, ENOMEM};
constexpr int kWaiting[] = {EINTR, ENOMEM};
constexpr int kWaitingNew[] = {EINTR, ENOSYS, EPERM};
constexpr int kControl[] = {EINVAL, ENOMEM};
constexpr int kEpollControl[] = {ENOMEM, ENOSPC};
constexpr int kClosing[] = {EINTR, EIO};
constexpr int kPaths[] = {ENOENT, EACCES, EMFILE, ENOSPC};
constexpr int kConnecting[] = {ECONNREFUSED, EAGAIN, EINTR, ENOENT};
constexpr int kAccepting[] = {EAGAIN, ECONNABORTED, EMFILE, EINTR};
constexpr int kBinding[] = {EADDRINUSE, EACCES, ENOENT};
constexpr int kOptions[] = {ENOPROTOOPT, ENOBUFS};
constexpr int kLocking[] = {EWOULDBLOCK, EINTR, ENOLCK};
constexpr int kSignalling[] = {EAGAIN, ESRCH, EPERM};
constexpr int kTakingSignals[] = {EAGAIN, EINTR};
constexpr int kPidfd[] = {ESRCH, EMFILE, ENOSYS};
constexpr int kReaping[] = {ECHILD, EINTR};
constexpr int kRingSetup[] = {EPERM, ENOSYS, ENOMEM, EINVAL};
constexpr int kRingEnter[] = {EINTR, EAGAIN, EBUSY};

bool IsTransfer(SysCall call) {
  return call == SysCall::kRead || call == SysCall::kReadNow ||
         call == SysCall::kWrite || call == SysCall::kReadv ||
         call == SysCall::kWritev || call == SysCall::kSendmsg ||
         call == SysCall::kRecvmsg;
}

}  // namespace

absl::Span<const int> LikelyErrnos(SysCall call) {
  switch (call) {
    case SysCall::kRead:
    case SysCall::kReadNow:
    case SysCall::kReadv:
    case SysCall::kRecvmsg:
      return kTransfer;
    case SysCall::kWrite:
    case SysCall::kWritev:
    case SysCall::kSendmsg:
      return kSending;
    case SysCall::kClose:
      return kClosing;
    case SysCall::kDup:
    case SysCall::kPipe2:
    case SysCall::kEventfd:
    case SysCall::kEpollCreate1:
    case SysCall::kSocket:
    case SysCall::kSocketpair:
    case SysCall::kSignalfd:
      return kMaking;
    case SysCall::kEpollCtl:
      return kEpollControl;
    case SysCall::kEpollPwait2:
      return kWaitingNew;
    case SysCall::kEpollWait:
    case SysCall::kPpoll:
    case SysCall::kPselect6:
      return kWaiting;
    case SysCall::kOpenat:
    case SysCall::kStat:
    case SysCall::kLstat:
    case SysCall::kUnlink:
    case SysCall::kRename:
    case SysCall::kMkdir:
      return kPaths;
    case SysCall::kFlock:
      return kLocking;
    case SysCall::kBind:
    case SysCall::kListen:
      return kBinding;
    case SysCall::kAccept4:
      return kAccepting;
    case SysCall::kConnect:
      return kConnecting;
    case SysCall::kGetsockopt:
    case SysCall::kSetsockopt:
      return kOptions;
    case SysCall::kTgsigqueueinfo:
    case SysCall::kKill:
    case SysCall::kPidfdSendSignal:
      return kSignalling;
    case SysCall::kSigtimedwait:
      return kTakingSignals;
    case SysCall::kPidfdOpen:
      return kPidfd;
    case SysCall::kWaitid:
      return kReaping;
    case SysCall::kIoUringSetup:
      return kRingSetup;
    case SysCall::kIoUringEnter:
      return kRingEnter;
    case SysCall::kFcntl:
    case SysCall::kIoctl:
    case SysCall::kFstat:
    case SysCall::kFchmod:
    case SysCall::kGetsockname:
    case SysCall::kShutdown:
    case SysCall::kIoUringRegister:
    case SysCall::kMmap:
      return kControl;
    case SysCall::kSigmask:
    case SysCall::kGetpid:
    case SysCall::kGettid:
    case SysCall::kMunmap:
      return {};
  }
  return {};
}

void FaultSys::FailNth(SysCall call, uint64_t n, int error, uint64_t times) {
  rule_ = Rule::kNone;
  rule_call_ = call;
  rule_first_ = n;
  rule_times_ = times;
  rule_error_ = error;
  matched_ = 0;
  faults_ = 0;
  rule_ = Rule::kOneKind;
}

void FaultSys::FailNthOfAny(uint64_t n, size_t which) {
  rule_ = Rule::kNone;
  rule_first_ = n;
  rule_times_ = 1;
  rule_which_ = which;
  matched_ = 0;
  faults_ = 0;
  rule_ = Rule::kAnyKind;
}

uint64_t FaultSys::Total() const {
  uint64_t total = 0;
  for (const auto& count : counts_) total += count;
  return total;
}

void FaultSys::ResetCounts() {
  for (auto& count : counts_) count = 0;
}

// Returns the errno with which this call must fail, or 0.
int FaultSys::ChooseError(SysCall call) {
  const Rule rule = rule_;
  if (rule == Rule::kNone) return 0;
  if (rule == Rule::kOneKind && call != rule_call_) return 0;
  const absl::Span<const int> likely = LikelyErrnos(call);
  if (rule == Rule::kAnyKind && likely.empty()) return 0;
  const uint64_t nth = ++matched_;
  if (nth < rule_first_ || nth - rule_first_ >= rule_times_) return 0;
  ++faults_;
  if (rule == Rule::kOneKind) return rule_error_;
  return likely[std::min(rule_which_, likely.size() - 1)];
}

intptr_t FaultSys::Call(SysCall call, Args args) {
  ++counts_[Index(call)];
  const int error = ChooseError(call);
  if (error != 0) {
    if (call == SysCall::kClose || call == SysCall::kMunmap) {
      under_.Call(call, args);
    }
    return -error;
  }
  if (shorten_ && IsTransfer(call) && IsByteStream(static_cast<int>(args[0]))) {
    return CallShortened(call, args);
  }
  return under_.Call(call, args);
}

// Calls the Sys under this one, so that these calls are not counted.
bool FaultSys::IsByteStream(int fd) {
  struct stat about = {};
  if (under_.Fstat(fd, &about) != 0) return false;
  if (S_ISSOCK(about.st_mode)) {
    int type = 0;
    socklen_t size = sizeof(type);
    return under_.Getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_STREAM;
  }
  return S_ISFIFO(about.st_mode) || S_ISREG(about.st_mode);
}

intptr_t FaultSys::CallShortened(SysCall call, Args args) {
  iovec one = {};
  const auto first_byte = [&one](const iovec* from, size_t count) {
    const iovec* end = from + count;
    const iovec* it =
        std::find_if(from, end, [](const iovec& v) { return v.iov_len > 0; });
    if (it == end) return false;
    one = {.iov_base = it->iov_base, .iov_len = 1};
    return true;
  };
  switch (call) {
    case SysCall::kRead:
    case SysCall::kReadNow:
    case SysCall::kWrite:
      args[2] = std::min<intptr_t>(args[2], 1);
      return under_.Call(call, args);
    case SysCall::kReadv:
    case SysCall::kWritev:
      if (first_byte(reinterpret_cast<const iovec*>(args[1]),
                     static_cast<size_t>(args[2]))) {
        args[1] = reinterpret_cast<intptr_t>(&one);
        args[2] = 1;
      }
      return under_.Call(call, args);
    case SysCall::kSendmsg:
    case SysCall::kRecvmsg: {
      auto* const message = reinterpret_cast<msghdr*>(args[1]);
      if (!first_byte(message->msg_iov, message->msg_iovlen)) {
        return under_.Call(call, args);
      }
      msghdr shorter = *message;
      shorter.msg_iov = &one;
      shorter.msg_iovlen = 1;
      args[1] = reinterpret_cast<intptr_t>(&shorter);
      const intptr_t result = under_.Call(call, args);
      if (call == SysCall::kRecvmsg && result >= 0) {
        message->msg_namelen = shorter.msg_namelen;
        message->msg_controllen = shorter.msg_controllen;
        message->msg_flags = shorter.msg_flags;
      }
      return result;
    }
    default:
      return under_.Call(call, args);
  }
}

}  // namespace trolley
