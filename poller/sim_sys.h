// SPDX-License-Identifier: Apache-2.0
//
// SimSys: a Sys that lives in memory: pipes, eventfds, Unix stream sockets and
// their listeners, with seeded faults. What it does not have (files, signals,
// processes, kernel pollers) is -ENOSYS.
//
// Its descriptor numbers start at kFirstFd, above those of a real process, so
// that one that strays into a real system call is EBADF and not somebody
// else's file. As in the kernel, the lowest free number is given out first.
//
// Nothing ever blocks: where the kernel would wait, a non-blocking descriptor
// says -EAGAIN and a blocking one -EDEADLK, because it is a bug in a loop.
//
// Ownership: a SimWorld owns one. Closes what is still open at its end.
// Threads:   one thread, that of the simulated world.
// Bounds:    SimSysOptions.

#ifndef TROLLEY_POLLER_SIM_SYS_H_
#define TROLLEY_POLLER_SIM_SYS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "trolley/poller/event.h"
#include "trolley/poller/sim_file.h"
#include "trolley/poller/sim_random.h"
#include "trolley/poller/sys.h"

namespace trolley {

struct SimSysOptions {
  // How often, in a thousand reads and writes of a stream, one ends early.
  // Eventfds are spared: in the kernel too their calls are whole or refused.
  int interrupted_per_mille = 0;     // -EINTR
  int would_block_per_mille = 0;     // -EAGAIN; the next wait reports it again
  int short_transfer_per_mille = 0;  // fewer bytes than asked for, at least 1

  size_t max_descriptors = 20'000;   // then -EMFILE
  size_t channel_bytes = 64 * 1024;  // the kernel's default for a pipe
};

class SimSys final : public Sys {
 public:
  static constexpr int kFirstFd = 1'000'000;

  SimSys(uint64_t seed, const SimSysOptions& options)
      : options_(options), random_(seed) {}

  intptr_t Call(SysCall call, Args args) override;

  // For SimPoller and for tests. A closed descriptor: 0, kNone and 0.
  uint64_t FileId(int fd) const;  // never used twice
  Ready Poll(int fd) const;
  uint64_t Changes(int fd) const;

  size_t open_descriptors() const { return descriptors_.size(); }

 private:
  struct Descriptor {
    std::shared_ptr<SimFile> file;
    uint64_t file_id = 0;
    uint64_t extra_changes = 0;  // edges made up for after a false EAGAIN
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

}  // namespace trolley

#endif  // TROLLEY_POLLER_SIM_SYS_H_
