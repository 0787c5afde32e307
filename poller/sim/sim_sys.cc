// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/sim/sim_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace trolley::internal {
namespace {

template <typename T>
T* As(intptr_t word) {
  return reinterpret_cast<T*>(word);
}
int ToInt(intptr_t word) { return static_cast<int>(word); }

// Returns the path, or the bytes of an abstract name. Empty: neither.
std::string PathOf(const sockaddr* address, socklen_t size) {
  const auto* const un = reinterpret_cast<const sockaddr_un*>(address);
  const size_t before = offsetof(sockaddr_un, sun_path);
  if (size <= before || un->sun_family != AF_UNIX) return {};
  const std::string path(un->sun_path, size - before);
  return path[0] == '\0' ? path : path.substr(0, path.find('\0'));
}

size_t TotalLength(absl::Span<const iovec> parts) {
  size_t total = 0;
  for (const iovec& part : parts) total += part.iov_len;
  return total;
}

}  // namespace

intptr_t SimSys::Call(SysCall call, Args a) {
  const int fd = ToInt(a[0]);
  switch (call) {
    case SysCall::kReadNow:
      return -EOPNOTSUPP;  // no read waits in this world
    case SysCall::kRead:
    case SysCall::kWrite: {
      const iovec part = {As<void>(a[1]), static_cast<size_t>(a[2])};
      return call == SysCall::kRead ? Read(fd, {&part, 1})
                                    : Write(fd, {&part, 1});
    }
    case SysCall::kReadv:
      return Read(fd, {As<const iovec>(a[1]), static_cast<size_t>(a[2])});
    case SysCall::kWritev:
      return Write(fd, {As<const iovec>(a[1]), static_cast<size_t>(a[2])});
    case SysCall::kSendmsg: {
      const auto* const message = As<const msghdr>(a[1]);
      if (message->msg_controllen > 0) return -EOPNOTSUPP;
      return Write(fd, {message->msg_iov, message->msg_iovlen});
    }
    case SysCall::kRecvmsg: {
      auto* const message = As<msghdr>(a[1]);
      if ((ToInt(a[2]) & MSG_PEEK) != 0) return -EOPNOTSUPP;
      message->msg_controllen = 0;
      message->msg_namelen = 0;
      message->msg_flags = 0;
      return Read(fd, {message->msg_iov, message->msg_iovlen});
    }
    case SysCall::kClose:
      return Close(fd);
    case SysCall::kDup:
      return Dup(fd, /*cloexec=*/true);
    case SysCall::kFcntl:
      return Fcntl(fd, ToInt(a[1]), a[2]);
    case SysCall::kFstat:
      return Fstat(fd, As<struct stat>(a[1]));
    case SysCall::kPpoll:
      return Ppoll({As<pollfd>(a[0]), static_cast<size_t>(a[1])},
                   As<const timespec>(a[2]));
    case SysCall::kPipe2: {
      const auto channel = std::make_shared<SimChannel>(options_.channel_bytes);
      return InstallPair(std::make_shared<SimStream>(channel, nullptr),
                         std::make_shared<SimStream>(nullptr, channel),
                         (ToInt(a[1]) & O_NONBLOCK) != 0,
                         (ToInt(a[1]) & O_CLOEXEC) != 0, As<int>(a[0]));
    }
    case SysCall::kEventfd:
      return Install(std::make_shared<SimEventfd>(static_cast<uint64_t>(a[0])),
                     (ToInt(a[1]) & EFD_NONBLOCK) != 0,
                     (ToInt(a[1]) & EFD_CLOEXEC) != 0);
    case SysCall::kSocket:
      return Socket(fd, ToInt(a[1]));
    case SysCall::kSocketpair:
      return Socketpair(fd, ToInt(a[1]), As<int>(a[3]));
    case SysCall::kBind:
      return Bind(fd, As<const sockaddr>(a[1]), static_cast<socklen_t>(a[2]));
    case SysCall::kListen:
      return Listen(fd, ToInt(a[1]));
    case SysCall::kAccept4:
      if (a[2] != 0) *As<socklen_t>(a[2]) = 0;
      return Accept(fd, ToInt(a[3]));
    case SysCall::kConnect:
      return Connect(fd, As<const sockaddr>(a[1]),
                     static_cast<socklen_t>(a[2]));
    case SysCall::kGetsockopt:
      return Getsockopt(fd, ToInt(a[1]), ToInt(a[2]), As<void>(a[3]),
                        As<socklen_t>(a[4]));
    case SysCall::kSetsockopt:
      return Find(fd) == nullptr ? -EBADF : 0;
    case SysCall::kShutdown:
      return Shutdown(fd, ToInt(a[1]));
    case SysCall::kUnlink:
      return bound_.erase(As<const char>(a[0])) > 0 ? 0 : -ENOENT;
    case SysCall::kGetpid:
    case SysCall::kGettid:
      return 1;
    default:
      return -ENOSYS;
  }
}

const SimSys::Descriptor* SimSys::Find(int fd) const {
  const auto it = descriptors_.find(fd);
  return it == descriptors_.end() ? nullptr : &it->second;
}

SimSys::Descriptor* SimSys::Find(int fd) {
  return const_cast<Descriptor*>(std::as_const(*this).Find(fd));
}

uint64_t SimSys::FileId(int fd) const {
  const Descriptor* const found = Find(fd);
  return found == nullptr ? 0 : found->file_id;
}

Ready SimSys::Poll(int fd) const {
  const Descriptor* const found = Find(fd);
  return found == nullptr ? Ready::kNone : found->file->Poll();
}

uint64_t SimSys::Changes(int fd) const {
  const Descriptor* const found = Find(fd);
  return found == nullptr ? 0 : found->file->Changes() + found->extra_changes;
}

int SimSys::Install(std::shared_ptr<SimFile> file, bool nonblocking,
                    bool cloexec) {
  if (descriptors_.size() >= options_.max_descriptors) return -EMFILE;
  int fd = kFirstFd;
  for (const auto& [taken, descriptor] : descriptors_) {
    if (taken != fd) break;
    ++fd;
  }
  descriptors_[fd] = {.file = std::move(file),
                      .file_id = ++last_file_id_,
                      .status_flags = O_RDWR | (nonblocking ? O_NONBLOCK : 0),
                      .cloexec = cloexec};
  return fd;
}

int SimSys::InstallPair(std::shared_ptr<SimFile> a, std::shared_ptr<SimFile> b,
                        bool nonblocking, bool cloexec, int fds[2]) {
  if (descriptors_.size() + 2 > options_.max_descriptors) return -EMFILE;
  fds[0] = Install(std::move(a), nonblocking, cloexec);
  fds[1] = Install(std::move(b), nonblocking, cloexec);
  return 0;
}

// Returns 0 or the -errno with which the call must fail. May reduce `length`.
ssize_t SimSys::MakeFault(Descriptor& descriptor, size_t& length) {
  if (descriptor.file->type() == 0) return 0;
  if (random_.Chance(options_.interrupted_per_mille)) return -EINTR;
  if (random_.Chance(options_.would_block_per_mille)) {
    ++descriptor.extra_changes;
    return -EAGAIN;
  }
  if (length > 1 && random_.Chance(options_.short_transfer_per_mille)) {
    length = 1 + random_.Below(length - 1);
  }
  return 0;
}

ssize_t SimSys::Read(int fd, absl::Span<const iovec> to) {
  Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  size_t length = TotalLength(to);
  if (ssize_t fault = MakeFault(*descriptor, length); fault < 0) return fault;
  std::vector<char> bytes(length);
  const ssize_t count = descriptor->file->Read(absl::MakeSpan(bytes));
  if (count == -EAGAIN && (descriptor->status_flags & O_NONBLOCK) == 0) {
    return -EDEADLK;
  }
  size_t done = 0;
  for (const iovec& part : to) {
    if (count < 0 || done == static_cast<size_t>(count)) break;
    const size_t here = std::min(part.iov_len, count - done);
    std::copy_n(bytes.data() + done, here, static_cast<char*>(part.iov_base));
    done += here;
  }
  return count;
}

ssize_t SimSys::Write(int fd, absl::Span<const iovec> from) {
  Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  size_t length = TotalLength(from);
  if (ssize_t fault = MakeFault(*descriptor, length); fault < 0) return fault;
  std::vector<char> bytes;
  bytes.reserve(length);
  for (const iovec& part : from) {
    const char* const start = static_cast<const char*>(part.iov_base);
    const size_t here = std::min(part.iov_len, length - bytes.size());
    bytes.insert(bytes.end(), start, start + here);
  }
  const ssize_t count = descriptor->file->Write(bytes);
  if (count == -EAGAIN && (descriptor->status_flags & O_NONBLOCK) == 0) {
    return -EDEADLK;
  }
  return count;
}

int SimSys::Close(int fd) {
  const auto it = descriptors_.find(fd);
  if (it == descriptors_.end()) return -EBADF;
  const std::shared_ptr<SimFile> file = std::move(it->second.file);
  descriptors_.erase(it);
  const bool last = std::none_of(
      descriptors_.begin(), descriptors_.end(),
      [&file](const auto& other) { return other.second.file == file; });
  if (!last) return 0;
  const auto* const listener = dynamic_cast<const SimListener*>(file.get());
  if (listener != nullptr && listener->path.starts_with('\0')) {
    bound_.erase(listener->path);  // closing a socket frees its abstract name
  }
  file->Closed();
  return 0;
}

int SimSys::Dup(int fd, bool cloexec) {
  const Descriptor* const original = Find(fd);
  if (original == nullptr) return -EBADF;
  const Descriptor copy = *original;
  const int made =
      Install(copy.file, (copy.status_flags & O_NONBLOCK) != 0, cloexec);
  if (made >= 0) descriptors_[made].file_id = copy.file_id;
  return made;
}

int SimSys::Fcntl(int fd, int command, intptr_t arg) {
  Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  switch (command) {
    case F_GETFD:
      return descriptor->cloexec ? FD_CLOEXEC : 0;
    case F_SETFD:
      descriptor->cloexec = (arg & FD_CLOEXEC) != 0;
      return 0;
    case F_GETFL:
      return descriptor->status_flags;
    case F_SETFL:
      descriptor->status_flags =
          O_RDWR | (ToInt(arg) & (O_NONBLOCK | O_APPEND | O_ASYNC));
      return 0;
    default:
      return -EINVAL;
  }
}

int SimSys::Fstat(int fd, struct stat* to) const {
  const Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  *to = {};
  to->st_mode = descriptor->file->type() | S_IRUSR | S_IWUSR;
  to->st_ino = descriptor->file_id;
  return 0;
}

// Never waits; only SimPoller waits.
int SimSys::Ppoll(absl::Span<pollfd> fds, const timespec* limit) const {
  int found = 0;
  for (pollfd& item : fds) {
    item.revents = 0;
    if (item.fd < 0) continue;
    const Descriptor* const descriptor = Find(item.fd);
    if (descriptor == nullptr) {
      item.revents = POLLNVAL;
    } else {
      const Ready ready = descriptor->file->Poll();
      if (Any(ready & Ready::kReadable)) item.revents |= POLLIN & item.events;
      if (Any(ready & Ready::kWritable)) item.revents |= POLLOUT & item.events;
      if (Any(ready & Ready::kHangup)) item.revents |= POLLHUP;
      if (Any(ready & Ready::kError)) item.revents |= POLLERR;
    }
    found += item.revents != 0;
  }
  const bool look_only =
      limit != nullptr && limit->tv_sec == 0 && limit->tv_nsec == 0;
  return found == 0 && !look_only ? -EDEADLK : found;
}

int SimSys::Socket(int domain, int type) {
  if (domain != AF_UNIX) return -EAFNOSUPPORT;
  if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM) {
    return -EPROTONOSUPPORT;
  }
  return Install(std::make_shared<SimListener>(), (type & SOCK_NONBLOCK) != 0,
                 (type & SOCK_CLOEXEC) != 0);
}

int SimSys::Socketpair(int domain, int type, int fds[2]) {
  if (domain != AF_UNIX) return -EAFNOSUPPORT;
  if ((type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != SOCK_STREAM) {
    return -EPROTONOSUPPORT;
  }
  const auto there = std::make_shared<SimChannel>(options_.channel_bytes);
  const auto back = std::make_shared<SimChannel>(options_.channel_bytes);
  return InstallPair(std::make_shared<SimStream>(back, there),
                     std::make_shared<SimStream>(there, back),
                     (type & SOCK_NONBLOCK) != 0, (type & SOCK_CLOEXEC) != 0,
                     fds);
}

int SimSys::Bind(int fd, const sockaddr* address, socklen_t size) {
  const Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  const auto socket = std::dynamic_pointer_cast<SimListener>(descriptor->file);
  const std::string path = PathOf(address, size);
  if (socket == nullptr || !socket->path.empty() || path.empty()) {
    return -EINVAL;
  }
  // As in a file system, the name is in use even after its socket was closed.
  if (!bound_.emplace(path, socket).second) return -EADDRINUSE;
  socket->path = path;
  return 0;
}

int SimSys::Listen(int fd, int backlog) {
  const Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  auto* const socket = dynamic_cast<SimListener*>(descriptor->file.get());
  if (socket == nullptr || socket->path.empty()) return -EINVAL;
  socket->backlog = std::max(backlog, 0);
  return 0;
}

int SimSys::Accept(int fd, int flags) {
  Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  auto* const socket = dynamic_cast<SimListener*>(descriptor->file.get());
  if (socket == nullptr || socket->backlog < 0) return -EINVAL;
  if (!Any(socket->Poll())) {
    return (descriptor->status_flags & O_NONBLOCK) != 0 ? -EAGAIN : -EDEADLK;
  }
  // Without a free descriptor the connection stays queued, as in the kernel.
  if (descriptors_.size() >= options_.max_descriptors) return -EMFILE;
  return Install(socket->Dequeue(), (flags & SOCK_NONBLOCK) != 0,
                 (flags & SOCK_CLOEXEC) != 0);
}

int SimSys::Connect(int fd, const sockaddr* address, socklen_t size) {
  Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  if (dynamic_cast<SimListener*>(descriptor->file.get()) == nullptr) {
    return -EISCONN;
  }
  const auto it = bound_.find(PathOf(address, size));
  if (it == bound_.end()) return -ENOENT;
  const std::shared_ptr<SimListener> listener = it->second.lock();
  if (listener == nullptr) return -ECONNREFUSED;
  const auto there = std::make_shared<SimChannel>(options_.channel_bytes);
  const auto back = std::make_shared<SimChannel>(options_.channel_bytes);
  const int queued =
      listener->Enqueue(std::make_shared<SimStream>(there, back));
  if (queued < 0) return queued;
  // The descriptors now refer to a connected socket. They keep the file's id,
  // so that a poller that watches one of them keeps watching it.
  const std::shared_ptr<SimFile> before = descriptor->file;
  const auto connected = std::make_shared<SimStream>(back, there);
  for (auto& [number, other] : descriptors_) {
    if (other.file != before) continue;
    other.file = connected;
    other.extra_changes += before->Changes() + 1;
  }
  return 0;
}

int SimSys::Getsockopt(int fd, int level, int name, void* value,
                       socklen_t* size) {
  const Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  if (descriptor->file->type() != S_IFSOCK) return -ENOTSOCK;
  if (level != SOL_SOCKET || *size < sizeof(int)) return -ENOPROTOOPT;
  int answer = 0;
  switch (name) {
    case SO_TYPE:
      answer = SOCK_STREAM;
      break;
    case SO_ERROR:
      answer = 0;
      break;
    case SO_DOMAIN:
      answer = AF_UNIX;
      break;
    default:
      return -ENOPROTOOPT;
  }
  std::memcpy(value, &answer, sizeof(answer));
  *size = sizeof(answer);
  return 0;
}

int SimSys::Shutdown(int fd, int how) {
  const Descriptor* const descriptor = Find(fd);
  if (descriptor == nullptr) return -EBADF;
  auto* const stream = dynamic_cast<SimStream*>(descriptor->file.get());
  return stream == nullptr ? -ENOTCONN : stream->Shutdown(how);
}

}  // namespace trolley::internal
