// SPDX-License-Identifier: Apache-2.0
//
// The conformance suite: checks any Poller against poller/poller.h. To check
// your own, make a test of these lines that depends on
// //tests/poller:conformance:
//
//   #include "trolley/tests/poller/conformance.h"
//   namespace trolley {
//   INSTANTIATE_TEST_SUITE_P(
//       Mine, PollerConformance,
//       testing::Values(OnKernel("mine", MyPoller::Create)), SubjectName);
//   }  // namespace trolley
//
// A case with a pitfall number in its name belongs to that entry of README.md
// in this folder. The capabilities of the poller decide which cases apply; the
// others are skipped and print the reason. A case waits without a limit for an
// event that must come; the time limit of the test ends it.
//
// Threads: each case has its own rig and runs on the thread that runs the test.

#ifndef TROLLEY_TESTS_POLLER_CONFORMANCE_H_
#define TROLLEY_TESTS_POLLER_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/poller.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

// What a poller needs around it.
class ConformanceRig {
 public:
  virtual ~ConformanceRig() = default;

  virtual Sys& sys() = 0;
  virtual const Clock& clock() = 0;

  // `sys` is sys(), or a FaultSys over it.
  virtual absl::StatusOr<std::unique_ptr<Poller>> NewPoller(Sys& sys) = 0;

  // Has `action` happen on another thread as soon as this one waits (or, where
  // time is virtual, within the next Wait), and before Settle() returns.
  virtual void WhileWaiting(std::function<void()> action) = 0;
  virtual void Settle() = 0;
};

// One poller under test.
struct ConformanceSubject {
  std::string name;
  std::function<std::unique_ptr<ConformanceRig>()> new_rig;
  bool spins = false;           // burns a processor while it waits, by design
  bool may_be_refused = false;  // a kernel or a container may not allow it
};

// A poller that waits in real time for real descriptors.
using ConformanceFactory =
    std::function<absl::StatusOr<std::unique_ptr<Poller>>(Sys&, const Clock&)>;
ConformanceSubject OnKernel(std::string name, ConformanceFactory create);

// Names the instances after their subjects.
std::string SubjectName(
    const ::testing::TestParamInfo<ConformanceSubject>& info);

std::ostream& operator<<(std::ostream& out, const ConformanceSubject& subject);

// What one or more Waits reported.
struct Reports {
  std::map<uint64_t, Ready> ready;  // by packed token, all waits together
  std::map<uint64_t, int> times;
  bool woken = false;

  Ready Of(Token token) const;
  int Times(Token token) const;
  bool empty() const { return ready.empty() && !woken; }
};

struct TestPipe {
  explicit TestPipe(Sys& sys);
  ScopedFd read;
  ScopedFd write;
};

struct TestSockets {
  explicit TestSockets(Sys& sys);
  ScopedFd a;
  ScopedFd b;
};

// What this thread does with its processor from now on.
class ProcessorWatch {
 public:
  ProcessorWatch();
  // Whether it gave the processor up, as one that spins never does.
  bool Slept() const;
  absl::Duration Used() const;

 private:
  int64_t switches_ = 0;
  absl::Duration used_;
};

class PollerConformance : public ::testing::TestWithParam<ConformanceSubject> {
 protected:
  void SetUp() override;
  void TearDown() override;

  Sys& sys() { return rig_->sys(); }
  const Clock& clock() { return rig_->clock(); }
  ConformanceRig& rig() { return *rig_; }
  Poller& poller() { return *poller_; }
  const Capabilities& capabilities() { return poller_->capabilities(); }
  void DestroyPoller() { poller_.reset(); }

  // A token not used before in this case.
  Token NewToken() { return {.slot = ++last_slot_, .generation = 7}; }

  // Adds and returns the new token; a failure fails the case.
  Token Add(int fd, Ready ready, Trigger trigger = Trigger::kLevel);
  void Modify(int fd, Token token, Ready ready,
              Trigger trigger = Trigger::kLevel);
  void Remove(int fd, Token token);

  // Some Waits with a deadline in the past: everything that is ready now, even
  // if the poller hands it out in small batches.
  Reports Look(size_t room = 64, int waits = 8);
  // Waits, for ever if need be, until `done` likes what was reported so far.
  Reports WaitUntil(const std::function<bool(const Reports&)>& done,
                    size_t room = 64);
  Reports WaitFor(Token token);
  // One Wait.
  WaitResult WaitOnce(Reports& into, size_t room, Instant deadline);

  // A Wait with a deadline reports nothing, and (unless that is by design) the
  // thread sleeps until then.
  void ExpectNothingComesAndNothingSpins();
  // A Wait ends by the Wake that comes while it waits, not before.
  void ExpectWaitsUntilWoken(Instant deadline);

  void Write(int fd, size_t count = 1);
  void FillUp(int fd);     // writes until it would block
  size_t ReadAll(int fd);  // reads until it would block or ends

  std::vector<Trigger> Triggers();  // those the poller has
  bool sleeps_to_wait() { return !GetParam().spins && !virtual_time(); }
  bool virtual_time() { return capabilities().virtual_time; }

 private:
  std::unique_ptr<ConformanceRig> rig_;
  std::unique_ptr<Poller> poller_;
  uint32_t last_slot_ = 0;
  int descriptors_before_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_POLLER_CONFORMANCE_H_
