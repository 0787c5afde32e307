// SPDX-License-Identifier: Apache-2.0
//
// FaultSys: a Sys for tests. It counts the calls made through it, and it makes
// calls that you choose fail or transfer fewer bytes. For our tests, and for
// yours if you write a poller or an actor that uses descriptors.
//
//   FaultSys sys(RealSys());
//   for (uint64_t n = 1;; ++n) {
//     sys.FailNthOfAny(n);
//     RunTheScenario(sys);            // must succeed or return a Status
//     if (sys.faults() == 0) break;   // every call has failed once
//   }
//
// Ownership: borrows the Sys under it.
// Threads:   calls are thread-safe, and async-signal-safe where the Sys under
//            it is. FailNth, FailAll, FailNthOfAny, StopFailing and
//            ShortenTransfers: one thread, before the others start.
// Bounds:    one rule at a time.

#ifndef TROLLEY_POLLER_FAULT_SYS_H_
#define TROLLEY_POLLER_FAULT_SYS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/types/span.h"
#include "trolley/poller/sys.h"

namespace trolley {

// The errnos that the manual gives for a call and that something outside the
// program can cause. The most likely one is first. Empty for calls that cannot
// fail.
absl::Span<const int> LikelyErrnos(SysCall call);

class FaultSys final : public Sys {
 public:
  explicit FaultSys(Sys& under) : under_(under) {}

  // Makes `times` calls of this kind fail with `error`, beginning with the n-th
  // from now; the next one is 1. A close() or munmap() that fails has still
  // done its work, as in the kernel; any other call that fails did nothing.
  // Replaces the rule before it and resets faults().
  void FailNth(SysCall call, uint64_t n, int error, uint64_t times = 1);

  // Makes every `call` from now on fail with `error`.
  void FailAll(SysCall call, int error) {
    FailNth(call, 1, error, std::numeric_limits<uint64_t>::max());
  }

  // Makes the n-th call from now fail; calls that cannot fail are not counted.
  // The error is LikelyErrnos(call)[which], or the last one if there are fewer.
  void FailNthOfAny(uint64_t n, size_t which = 0);

  // Ends the rule. The counts and faults() stay.
  void StopFailing() { rule_ = Rule::kNone; }

  // From now on, reads and writes of pipes, stream sockets and files transfer
  // one byte at a time. Message sockets, eventfds and signalfds do not change.
  void ShortenTransfers(bool on) { shorten_ = on; }

  // The number of calls that the rule has made fail.
  uint64_t faults() const { return faults_; }
  // The number of calls of one kind, or of all kinds, whether they failed or
  // not.
  uint64_t Count(SysCall call) const { return counts_[Index(call)]; }
  uint64_t Total() const;
  void ResetCounts();

  intptr_t Call(SysCall call, Args args) override;

 private:
  enum class Rule : uint8_t { kNone, kOneKind, kAnyKind };

  static size_t Index(SysCall call) { return static_cast<size_t>(call); }
  int ChooseError(SysCall call);
  bool IsByteStream(int fd);
  intptr_t CallShortened(SysCall call, Args args);

  Sys& under_;
  std::array<std::atomic<uint64_t>, kSysCallKinds> counts_{};
  std::atomic<bool> shorten_{false};

  std::atomic<Rule> rule_{Rule::kNone};
  SysCall rule_call_ = SysCall::kRead;
  uint64_t rule_first_ = 0;  // the first matching call to fail; 1 is the next
  uint64_t rule_times_ = 0;
  int rule_error_ = 0;
  size_t rule_which_ = 0;
  std::atomic<uint64_t> matched_{0};
  std::atomic<uint64_t> faults_{0};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_FAULT_SYS_H_
