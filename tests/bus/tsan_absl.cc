// SPDX-License-Identifier: Apache-2.0
//
// Tells ThreadSanitizer the memory ordering of Debian's Abseil. Its absl::Mutex
// and absl::Notification are compiled without TSan. So TSan sees no ordering
// between the threads that use them, and would report races that do not exist.
// The linker (--wrap, see BUILD.bazel) sends the calls of our code through
// here.
//
// Linked into tests only with --config=tsan. Thread-safe.

#include <sched.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

extern "C" {

void __tsan_acquire(void* address);
void __tsan_release(void* address);
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);

// A spin lock protects Abseil's own data. TSan does not see the lock, but it
// sees the memmove() of the data. It also does not see the reference count of a
// status that two threads hold, but it sees that one of them frees the text.
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
  // It reads the conditions of the waiting threads, under the lock.
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
