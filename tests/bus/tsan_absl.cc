// SPDX-License-Identifier: Apache-2.0
//
// Tells ThreadSanitizer what Debian's Abseil does. Its absl::Mutex and
// absl::Notification are compiled without TSan, which therefore sees no order
// between those who use them and reports races where there are none. The linker
// (--wrap, see BUILD.bazel) sends the calls of our code through here.
//
// Linked into tests with --config=tsan only. Thread-safe.

#include <sched.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);

// Its own data are behind a spin lock that TSan does not see, and the memmove()
// that moves them is one that TSan does. Likewise the text of a status that two
// threads hold: the count that says who frees it is one that TSan does not see.
const char* __tsan_default_suppressions() {
  return "race:absl::debian3::synchronization_internal\n"
         "race:absl::debian3::Status::Unref\n";
}

#define MUTEX(name) _ZN4absl7debian35Mutex##name
#define NOTIFICATION(name) _ZN4absl7debian312Notification##name
#define NOTIFICATION_CONST(name) _ZNK4absl7debian312Notification##name
#define JOIN(a, b) JOIN_(a, b)
#define JOIN_(a, b) a##b
#define REAL(name) JOIN(__real_, name)
#define WRAP(name) JOIN(__wrap_, name)

void REAL(MUTEX(4LockEv))(absl::Mutex*);
void WRAP(MUTEX(4LockEv))(absl::Mutex* mutex) {
  REAL(MUTEX(4LockEv))(mutex);
  __tsan_acquire(mutex);
}

void REAL(MUTEX(6UnlockEv))(absl::Mutex*);
void WRAP(MUTEX(6UnlockEv))(absl::Mutex* mutex) {
  __tsan_release(mutex);
  // It looks at the conditions of those who wait, under the lock.
  AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
  REAL(MUTEX(6UnlockEv))(mutex);
  AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
}

// Its condition reads what the mutex guards, within a call that TSan does not
// see take the mutex again. So the mutex is given up and taken here.
void WRAP(MUTEX(5AwaitERKNS0_9ConditionE))(absl::Mutex* mutex,
                                           const absl::Condition& condition) {
  while (!condition.Eval()) {
    WRAP(MUTEX(6UnlockEv))(mutex);
    sched_yield();
    WRAP(MUTEX(4LockEv))(mutex);
  }
}

// HasBeenNotified() is inline: an acquire of the flag behind the mutex.
static void* FlagOf(const absl::Notification* notification) {
  return const_cast<char*>(reinterpret_cast<const char*>(notification)) +
         sizeof(absl::Mutex);
}

void REAL(NOTIFICATION(6NotifyEv))(absl::Notification*);
void WRAP(NOTIFICATION(6NotifyEv))(absl::Notification* notification) {
  __tsan_release(FlagOf(notification));
  REAL(NOTIFICATION(6NotifyEv))(notification);
}

// Waits until Notify() has let go of it.
void REAL(NOTIFICATION(D1Ev))(absl::Notification*);
void WRAP(NOTIFICATION(D1Ev))(absl::Notification* notification) {
  __tsan_acquire(FlagOf(notification));
  REAL(NOTIFICATION(D1Ev))(notification);
}

void REAL(NOTIFICATION_CONST(19WaitForNotificationEv))(
    const absl::Notification*);
void WRAP(NOTIFICATION_CONST(19WaitForNotificationEv))(
    const absl::Notification* notification) {
  REAL(NOTIFICATION_CONST(19WaitForNotificationEv))(notification);
  __tsan_acquire(FlagOf(notification));
}

}  // extern "C"
