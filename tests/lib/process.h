// SPDX-License-Identifier: Apache-2.0
//
// What the kernel says about this process, and a folder for a test.
//
// Ownership: a TempFolder owns its folder on the disk.
// Threads:   the functions are thread-safe. TempFolder: one thread.
// Bounds:    none. A call that cannot read /proc, or cannot make a folder, ends
//            the process: a test must not go on with a figure that is wrong.

#ifndef TROLLEY_TESTS_LIB_PROCESS_H_
#define TROLLEY_TESTS_LIB_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <string>

namespace trolley {

// The open descriptors of this process. The call itself needs one, which does
// not count.
int OpenDescriptors();

// The threads of this process. The kernel counts a thread for a moment longer
// after it was joined.
int CountThreads();

// Waits until this process has `most` threads or fewer. The kernel has no event
// for this, so the call looks again and again.
void AwaitThreads(int most);

// 'R' if the thread of this process runs or could run, 'S' or 'D' if it waits
// in the kernel, '?' if there is no such thread. See proc(5) for the others.
char StateOfThread(pid_t thread);

// Waits until the thread waits in the kernel ('S'), or until `give_up` returns
// true. The kernel has no event for this, so the call looks again and again.
void AwaitSleepOf(pid_t thread, const std::function<bool()>& give_up);

// A new folder directly below /tmp, because the path of a socket must be short.
// The destructor removes it with all that is in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` in this folder.
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace trolley

#endif  // TROLLEY_TESTS_LIB_PROCESS_H_
