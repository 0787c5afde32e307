// SPDX-License-Identifier: Apache-2.0
//
// SysCall: the kinds of system call that go through Sys (poller/sys.h).
//
//   faulty.FailNth(trolley::SysCall::kAccept4, 1, EMFILE);
//
// A value type; any thread.

#ifndef TROLLEY_POLLER_SYS_CALL_H_
#define TROLLEY_POLLER_SYS_CALL_H_

#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include "trolley/poller/cxx20.h"

namespace trolley {

// The kinds. SysCallName() returns the kernel's name of each.
enum class SysCall : uint8_t {
  kRead,
  kReadNow,
  kWrite,
  kReadv,
  kWritev,
  kClose,
  kDup,
  kFcntl,
  kIoctl,
  kPipe2,
  kEventfd,
  kEpollCreate1,
  kEpollCtl,
  kEpollPwait2,
  kEpollWait,
  kPpoll,
  kPselect6,
  kOpenat,
  kFstat,
  kStat,
  kLstat,
  kUnlink,
  kRename,
  kMkdir,
  kFchmod,
  kFlock,
  kSocket,
  kSocketpair,
  kBind,
  kListen,
  kAccept4,
  kConnect,
  kGetsockopt,
  kSetsockopt,
  kGetsockname,
  kSendmsg,
  kRecvmsg,
  kShutdown,
  kSignalfd,
  kSigmask,
  kSigtimedwait,
  kTgsigqueueinfo,
  kGetpid,
  kGettid,
  kKill,
  kPidfdOpen,
  kPidfdSendSignal,
  kWaitid,
  kIoUringSetup,
  kIoUringEnter,
  kIoUringRegister,
  kMmap,
  kMunmap,
};
inline constexpr size_t kSysCallKinds =
    static_cast<size_t>(SysCall::kMunmap) + 1;

// The name, such as "epoll_ctl". A literal. The other two functions print it to
// a stream, and with absl::StrCat.
const char* SysCallName(SysCall call);
std::ostream& operator<<(std::ostream& to, SysCall call);
template <typename Sink>
void AbslStringify(Sink& sink, SysCall call) {
  sink.Append(SysCallName(call));
}

}  // namespace trolley

#endif  // TROLLEY_POLLER_SYS_CALL_H_
