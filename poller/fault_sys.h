// SPDX-License-Identifier: Apache-2.0
//
// FaultSys: a Sys that counts the calls made through it and makes the chosen
// ones fail or come back short. For tests: ours, and those of who writes a
// poller or an actor on descriptors.
//
//   FaultSys sys(RealSys());
//   for (uint64_t n = 1;; ++n) {
//     sys.FailNthOfAny(n);
//     RunTheScenario(sys);            // must end well or with a Status
//     if (sys.faults() == 0) break;   // met no fault: every call was tried
//   }
//
// Ownership: borrows the Sys under it.
// Threads:   thread-safe, and async-signal-safe where the Sys under it is; the
//            set-up methods belong to one thread, before the others start.
// Bounds:    one fault rule at a time.

#ifndef TROLLEY_POLLER_FAULT_SYS_H_
#define TROLLEY_POLLER_FAULT_SYS_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/types/span.h"
#include "trolley/poller/sys.h"

namespace trolley {

// The errnos that the manual gives for a call and that the outside can cause,
// the likeliest first. Empty for the calls that cannot fail.
absl::Span<const int> LikelyErrnos(SysCall call);

class FaultSys final : public Sys {
 public:
  explicit FaultSys(Sys& under) : under_(under) {}

  // The n-th `call` from now (1 is the next) fails with `error`, and so do the
  // `times` - 1 of that kind after it. A close() or munmap() that fails has
  // done its work all the same, as in the kernel; any other did nothing.
  // Replaces the rule before it and resets faults().
  void FailNth(SysCall call, uint64_t n, int error, uint64_t times = 1);

  // Every `call` from now on fails with `error`.
  void FailAll(SysCall call, int error) {
    FailNth(call, 1, error, std::numeric_limits<uint64_t>::max());
  }

  // The n-th call of any kind that can fail from now fails, with the
  // `which`-th of its LikelyErrnos (the last, where it has fewer).
  void FailNthOfAny(uint64_t n, size_t which = 0);

  // No more faults. Keeps the counts and faults().
  void StopFailing() { rule_ = Rule::kNone; }

  // From now on reads and writes of pipes, stream sockets and files move one
  // byte at a time. Message sockets, eventfds and signalfds are left alone.
  void ShortenTransfers(bool on) { shorten_ = on; }

  // How many calls the rule has made fail.
  uint64_t faults() const { return faults_; }
  // How many calls of the kind, or of all kinds, were made, failed or not.
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
  uint64_t rule_first_ = 0;  // of the calls that match, counted from 1
  uint64_t rule_times_ = 0;
  int rule_error_ = 0;
  size_t rule_which_ = 0;
  std::atomic<uint64_t> matched_{0};
  std::atomic<uint64_t> faults_{0};
};

}  // namespace trolley

#endif  // TROLLEY_POLLER_FAULT_SYS_H_
