// SPDX-License-Identifier: Apache-2.0
//
// SimSys: a Sys in memory. It has pipes, eventfds, Unix stream sockets and
// their listeners, and makes calls fail at random from a seed. Files, signals,
// processes and kernel pollers return -ENOSYS.
//
//   - Descriptor numbers start at kFirstFd, above those of a real process. If
//     one reaches a real system call by mistake, that returns EBADF and does
//     not touch a real file. As in the kernel, the lowest free number is used
//     first.
//   - No call blocks. Where the kernel would wait, a non-blocking descriptor
//     returns -EAGAIN. A blocking one returns -EDEADLK, because a loop must not
//     use one.
//
// Ownership: a SimWorld owns one. Its destructor closes what is still open.
// Threads:   one thread, that of the simulated world.
// Bounds:    SimSysOptions.

#ifndef TROLLEY_POLLER_SIM_SIM_SYS_H_
#define TROLLEY_POLLER_SIM_SIM_SYS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "trolley/poller/event.h"
#include "trolley/poller/sim/sim_file.h"
#include "trolley/poller/sim/sim_random.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {

struct SimSysOptions {
  // Faults in a thousand reads and writes of a pipe or a socket. Eventfds have
  // none, because the kernel never splits their 8 bytes.
  int interrupted_per_mille = 0;     // -EINTR
  int would_block_per_mille = 0;     // -EAGAIN; the next Wait reports it again
  int short_transfer_per_mille = 0;  // fewer bytes than requested, at least 1

  size_t max_descriptors = 20'000;   // above that: -EMFILE
  size_t channel_bytes = 64 * 1024;  // the kernel's default for a pipe
};

class SimSys final : public Sys {
 public:
  static constexpr int kFirstFd = 1'000'000;

  SimSys(uint64_t seed, const SimSysOptions& options)
      : options_(options), random_(seed) {}

  intptr_t Call(SysCall call, Args args) override;

  // For SimPoller and for tests. For a closed descriptor: 0, kNone and 0.
  uint64_t FileId(int fd) const;  // no two files have the same
  Ready Poll(int fd) const;
  uint64_t Changes(int fd) const;

  size_t open_descriptors() const { return descriptors_.size(); }

 private:
  struct Descriptor {
    std::shared_ptr<SimFile> file;
    uint64_t file_id = 0;
    uint64_t extra_changes = 0;  // edges added after an -EAGAIN by chance
    int status_flags = 0;
    bool cloexec = false;
  };

  const Descriptor* Find(int fd) const;
  Descriptor* Find(int fd);
  int Install(std::shared_ptr<SimFile> file, bool nonblocking, bool cloexec);
  int InstallPair(std::shared_ptr<SimFile> a, std::shared_ptr<SimFile> b,
                  bool nonblocking, bool cloexec, int fds[2]);

  ssize_t Read(int fd, absl::Span<const iovec> to);
  ssize_t Write(int fd, absl::Span<const iovec> from);
  ssize_t MakeFault(Descriptor& descriptor, size_t& length);
  int Close(int fd);
  int Dup(int fd, bool cloexec);
  int Fcntl(int fd, int command, intptr_t arg);
  int Fstat(int fd, struct stat* to) const;
  int Ppoll(absl::Span<pollfd> fds, const timespec* limit) const;
  int Socket(int domain, int type);
  int Socketpair(int domain, int type, int fds[2]);
  int Bind(int fd, const sockaddr* address, socklen_t size);
  int Listen(int fd, int backlog);
  int Accept(int fd, int flags);
  int Connect(int fd, const sockaddr* address, socklen_t size);
  int Getsockopt(int fd, int level, int name, void* value, socklen_t* size);
  int Shutdown(int fd, int how);

  const SimSysOptions options_;
  SimRandom random_;
  uint64_t last_file_id_ = 0;
  std::map<int, Descriptor> descriptors_;
  std::map<std::string, std::weak_ptr<SimListener>> bound_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_POLLER_SIM_SIM_SYS_H_
