// SPDX-License-Identifier: Apache-2.0
//
// StartProcess: starts a program as a child of this process. The child has the
// descriptors 0 to 2 and no other, the default effect of each signal, none
// blocked, and a group of its own. When the thread that starts it ends, the
// kernel sends it SIGKILL (PR_SET_PDEATHSIG).
//
//   const ProcessImage image = ImageOf(options);
//   auto process = StartProcess(sys, image, {.in = 5, .out = 7, .err = 9});
//
// posix_spawn(3) can do most of this. It cannot do the last, it does not say
// which step failed, and it gives no pidfd. So this is clone(2) as posix_spawn
// uses it: the child shares the memory of the thread, which waits until the
// program is loaded. The child makes system calls only, and writes down which
// one failed.
//
// Ownership: the caller keeps the descriptors and the image.
// Threads:   that of the loop that the process is to end with.
// Bounds:    kStackBytes of memory while it runs. The thread waits until the
//            program is loaded.
// Ends:      with the program, or with an error: then there is no process.
// Errors:    see below.

#ifndef TROLLEY_ACTORS_CHILD_INTERNAL_START_PROCESS_H_
#define TROLLEY_ACTORS_CHILD_INTERNAL_START_PROCESS_H_

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "trolley/actors/child/internal/process_image.h"
#include "trolley/actors/child/internal/running_process.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

// What become the descriptors 0, 1 and 2 of the program; each above 2.
struct ProcessDescriptors {
  int in = -1;
  int out = -1;
  int err = -1;
};

// Calls run(argument) in a new process, on `stack`, whose last byte is before
// `stack`; as clone(2) with these flags. Returns its number or -errno. Sets
// *pidfd.
using CloneCall = absl::FunctionRef<int(int (*run)(void*), void* stack,
                                        int flags, void* argument, int* pidfd)>;
int CloneOfTheKernel(int (*run)(void*), void* stack, int flags, void* argument,
                     int* pidfd);

inline constexpr size_t kStackBytes = 64 << 10;

// The text names the step that failed, and of execve the file.
//
//   NotFound            there is no such file or working directory
//   PermissionDenied    the file or the directory may not be used
//   InvalidArgument     the directory is none; a path is too long or a circle
//   OutOfRange          the arguments and the environment are too long
//   Unknown             the file is no program (ENOEXEC)
//   ResourceExhausted   no process (EAGAIN of clone), descriptor or memory
//   other               poller/errno_status.h
absl::StatusOr<RunningProcess> StartProcess(
    Sys& sys, const ProcessImage& image, const ProcessDescriptors& descriptors,
    CloneCall clone = CloneOfTheKernel);

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_CHILD_INTERNAL_START_PROCESS_H_
