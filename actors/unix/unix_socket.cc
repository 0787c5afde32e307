// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/link/internal/adopted_listener.h"
#include "trolley/poller/errno_status.h"
#include "trolley/poller/printable.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {
namespace {

// A PATH.lock that its owner removes while we wait for it is opened anew; this
// many times in a row is no coincidence.
constexpr int kMaxLockTries = 16;

template <typename F>
auto RetryInterrupted(F call) {
  auto result = call();
  while (result == -EINTR) result = call();
  return result;
}

absl::Status CheckPath(const std::string& path) {
  if (path.empty()) {
    return absl::InvalidArgumentError("the path of a Unix socket is empty");
  }
  if (path.size() > kMaxUnixPathBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the Unix socket path ", Printable(path), " is ", path.size(),
        " bytes long; the kernel takes at most ", kMaxUnixPathBytes,
        ". Choose a shorter directory, such as one in /run"));
  }
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        "the path of a Unix socket holds a NUL byte; abstract names are not "
        "taken, because no file mode protects them");
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const UnixListenOptions& options) {
  if ((options.mode & ~mode_t{0777}) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("UnixListenOptions::mode is ", absl::Hex(options.mode),
                     " (hexadecimal); it has bits beside 0777"));
  }
  if (options.backlog < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("UnixListenOptions::backlog is ", options.backlog,
                     "; it is 0 or more"));
  }
  return CheckUnixSocketType(options.type, "UnixListenOptions::type");
}

// A path may come from anywhere, and stands in every error.
absl::Status Shown(const absl::Status& error) {
  return absl::Status(error.code(), Printable(error.message(), kWholeText));
}

struct Address {
  sockaddr_un un = {};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&un); }
};

Address AddressOf(const std::string& path) {
  Address address;
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path, path.data(), path.size());
  address.size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

ScopedFd NewSocket(Sys& sys, UnixSocketType type) {
  const int kind =
      type == UnixSocketType::kSeqpacket ? SOCK_SEQPACKET : SOCK_STREAM;
  return ScopedFd(sys,
                  sys.Socket(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

const char* KindOf(mode_t mode) {
  if (S_ISREG(mode)) return "a regular file";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

std::string Octal(mode_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) {
    digits.push_back(static_cast<char>('0' + ((mode >> shift) & 7)));
  }
  return digits;
}

bool IsOwn(const struct stat& file, uid_t own_uid) {
  return file.st_uid == own_uid || file.st_uid == 0;
}

}  // namespace

absl::Status CheckUnixSocketType(UnixSocketType type, absl::string_view field) {
  if (type == UnixSocketType::kStream || type == UnixSocketType::kSeqpacket) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", static_cast<int>(type),
                   "; it is kStream (0) or kSeqpacket (1)"));
}

UnixListenSocket::UnixListenSocket(UnixListenSocket&& other) noexcept
    : sys_(other.sys_),
      path_(std::move(other.path_)),
      lock_(std::move(other.lock_)),
      listener_(std::move(other.listener_)),
      reserve_(std::move(other.reserve_)),
      lock_id_(other.lock_id_),
      lock_is_ours_(other.lock_is_ours_),
      socket_id_(std::exchange(other.socket_id_, {})) {}

UnixListenSocket& UnixListenSocket::operator=(
    UnixListenSocket&& other) noexcept {
  if (this != &other) {
    Close();
    sys_ = other.sys_;
    path_ = std::move(other.path_);
    lock_ = std::move(other.lock_);
    listener_ = std::move(other.listener_);
    reserve_ = std::move(other.reserve_);
    lock_id_ = other.lock_id_;
    lock_is_ours_ = other.lock_is_ours_;
    socket_id_ = std::exchange(other.socket_id_, {});
  }
  return *this;
}

bool UnixListenSocket::IsStill(const std::string& path,
                               const FileId& id) const {
  struct stat file = {};
  return sys_->Lstat(path.c_str(), &file) == 0 &&
         FileId{file.st_dev, file.st_ino} == id;
}

void UnixListenSocket::Close() {
  // While the listener is open its inode lives, so no other file can have its
  // number; while the lock is held no other server looks at the path.
  if (listener_ && socket_id_ != FileId() && IsStill(path_, socket_id_)) {
    sys_->Unlink(path_.c_str());
  }
  socket_id_ = FileId();
  reserve_.Drop();
  listener_.reset();
  if (lock_ && MayRemoveLock()) sys_->Unlink(lock_path().c_str());
  lock_.reset();
}

// False: another file is at the path of the lock, or a process has written into
// the lock.
bool UnixListenSocket::MayRemoveLock() const {
  struct stat file = {};
  // mutant: P14_TheLockIsRemovedWhateverIsInIt
  return lock_is_ours_ && sys_->Lstat(lock_path().c_str(), &file) == 0 &&
         FileId{file.st_dev, file.st_ino} == lock_id_ && file.st_size == 0;
}

absl::Status UnixListenSocket::CheckDirectory(uid_t own_uid) const {
  const std::string directory = DirectoryOf(path_);
  struct stat file = {};
  const int result = sys_->Stat(directory.c_str(), &file);
  if (result == -ENOENT) {
    return absl::NotFoundError(
        absl::StrCat("the directory ", directory, " of the Unix socket ", path_,
                     " does not exist; create it first, with mode 0700"));
  }
  if (result < 0) return ErrnoStatus(result, SysCall::kStat, directory);
  if (!S_ISDIR(file.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat(directory, ", where the Unix socket ", path_,
                     " should be, is ", KindOf(file.st_mode)));
  }
  if (!IsOwn(file, own_uid)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the directory ", directory, " belongs to user ",
                     file.st_uid, ", who could replace the Unix socket ", path_,
                     "; use a directory of user ", own_uid, " or root"));
  }
  if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
      (file.st_mode & S_ISVTX) == 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the directory ", directory, " has mode ", Octal(file.st_mode & 07777),
        ": others could replace the Unix socket ", path_, "; chmod go-w ",
        directory));
  }
  return absl::OkStatus();
}

// The path has a live server. Asks it for its name, if it answers.
absl::Status UnixListenSocket::InUse() const {
  std::string who = "a running server";
  const ScopedFd probe = NewSocket(*sys_, UnixSocketType::kStream);
  const Address address = AddressOf(path_);
  if (probe && sys_->Connect(probe.get(), address.get(), address.size) == 0) {
    const auto peer = PeerCredentials(*sys_, probe.get());
    if (peer.ok()) {
      who = absl::StrCat("process ", peer->pid, " of user ", peer->uid);
    }
  }
  return absl::AlreadyExistsError(
      absl::StrCat("the Unix socket ", path_, " is in use by ", who,
                   "; stop it or choose another path"));
}

absl::Status UnixListenSocket::CheckLock(const struct stat& file,
                                         uid_t own_uid) const {
  // mutant: P14_ALockWithContentIsTakenForOurs
  if (S_ISREG(file.st_mode) && IsOwn(file, own_uid) && file.st_size == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      lock_path(), " is ", KindOf(file.st_mode), " of user ", file.st_uid,
      file.st_size > 0 && S_ISREG(file.st_mode) ? " with content" : "",
      ", not the empty lock of a server of user ", own_uid,
      ", and was left as it is; remove it or choose another path for the Unix "
      "socket"));
}

// `made`: whether it was not there before. Unavailable: it came or went while
// we looked.
absl::StatusOr<ScopedFd> UnixListenSocket::OpenLock(uid_t own_uid, bool* made) {
  // Looked at first: to open a pipe or a device is to touch it.
  struct stat file = {};
  int result = sys_->Lstat(lock_path().c_str(), &file);
  if (result < 0 && result != -ENOENT) {
    return ErrnoStatus(result, SysCall::kLstat, lock_path());
  }
  *made = result == -ENOENT;
  if (!*made) {
    if (absl::Status ours = CheckLock(file, own_uid); !ours.ok()) return ours;
  }
  ScopedFd lock(*sys_, RetryInterrupted([&] {
    return sys_->Openat(AT_FDCWD, lock_path().c_str(),
                        O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
                            (*made ? O_CREAT | O_EXCL : 0),
                        0600);
  }));
  if (lock) return lock;
  if (lock.get() == (*made ? -EEXIST : -ENOENT) || lock.get() == -ELOOP) {
    return absl::UnavailableError("it was replaced");
  }
  return ErrnoStatus(lock.get(), SysCall::kOpenat, lock_path());
}

absl::Status UnixListenSocket::Lock(uid_t own_uid) {
  for (int i = 0; i < kMaxLockTries; ++i) {
    bool made = false;
    absl::StatusOr<ScopedFd> lock = OpenLock(own_uid, &made);
    if (absl::IsUnavailable(lock.status())) continue;
    if (!lock.ok()) return lock.status();
    struct stat file = {};
    int result = sys_->Fstat(lock->get(), &file);
    if (result < 0) return ErrnoStatus(result, SysCall::kFstat, lock_path());
    if (absl::Status ours = CheckLock(file, own_uid); !ours.ok()) return ours;
    result = RetryInterrupted(
        [&] { return sys_->Flock(lock->get(), LOCK_EX | LOCK_NB); });
    if (result == -EWOULDBLOCK) return InUse();
    if (result < 0) return ErrnoStatus(result, SysCall::kFlock, lock_path());
    lock_ = *std::move(lock);
    lock_id_ = {file.st_dev, file.st_ino};
    lock_is_ours_ = made;
    // Its last owner may have removed it after our open and before our lock.
    // Then this lock keeps no other server away.
    if (IsStill(lock_path(), lock_id_)) return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(
      lock_path(), " was replaced ", kMaxLockTries, " times; try again"));
}

absl::Status UnixListenSocket::ClearPath() const {
  struct stat file = {};
  int result = sys_->Lstat(path_.c_str(), &file);
  if (result == -ENOENT) return absl::OkStatus();
  if (result < 0) return ErrnoStatus(result, SysCall::kLstat, path_);
  if (!S_ISSOCK(file.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        path_, " is ", KindOf(file.st_mode),
        ", not a socket, and was left as it is; remove it or choose another "
        "path"));
  }
  const ScopedFd probe = NewSocket(*sys_, UnixSocketType::kStream);
  if (!probe) return ErrnoStatus(probe.get(), SysCall::kSocket, "AF_UNIX");
  const Address address = AddressOf(path_);
  result = RetryInterrupted(
      [&] { return sys_->Connect(probe.get(), address.get(), address.size); });
  // EAGAIN: alive, with a full backlog. EPROTOTYPE: alive, of another kind.
  if (result == 0 || result == -EAGAIN || result == -EPROTOTYPE) {
    return InUse();
  }
  if (result != -ECONNREFUSED) {
    return ErrnoStatus(result, SysCall::kConnect, path_);
  }
  result = sys_->Unlink(path_.c_str());
  if (result < 0 && result != -ENOENT) {
    return ErrnoStatus(result, SysCall::kUnlink, path_);
  }
  return absl::OkStatus();
}

absl::Status UnixListenSocket::BindAndListen(const UnixListenOptions& options) {
  int result = sys_->Fchmod(listener_.get(), options.mode);
  if (result < 0) return ErrnoStatus(result, SysCall::kFchmod, path_);
  const Address address = AddressOf(path_);
  result = sys_->Bind(listener_.get(), address.get(), address.size);
  if (result < 0) return ErrnoStatus(result, SysCall::kBind, path_);
  struct stat file = {};
  result = sys_->Lstat(path_.c_str(), &file);
  if (result < 0) return ErrnoStatus(result, SysCall::kLstat, path_);
  socket_id_ = {file.st_dev, file.st_ino};
  const mode_t missing = options.mode & ~file.st_mode;
  if (missing != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the Unix socket ", path_, " should have mode ", Octal(options.mode),
        ", but the umask of this process takes away ", Octal(missing),
        "; set a umask without it"));
  }
  result = sys_->Listen(listener_.get(), options.backlog);
  if (result < 0) return ErrnoStatus(result, SysCall::kListen, path_);
  return absl::OkStatus();
}

absl::Status UnixListenSocket::Open(const UnixListenOptions& options) {
  listener_ = NewSocket(*sys_, options.type);
  if (!listener_) {
    return ErrnoStatus(listener_.get(), SysCall::kSocket, "AF_UNIX");
  }
  listener_.CheckFlags();
  // A socket belongs to the user that made it: the user of this process.
  struct stat own = {};
  const int result = sys_->Fstat(listener_.get(), &own);
  if (result < 0) return ErrnoStatus(result, SysCall::kFstat, "AF_UNIX");

  absl::Status status = CheckDirectory(own.st_uid);
  if (status.ok()) status = Lock(own.st_uid);
  if (status.ok()) status = ClearPath();
  if (status.ok()) status = BindAndListen(options);
  if (!status.ok()) return status;
  // One that was there before goes with the socket, as its server's end meant.
  lock_is_ours_ = true;

  return reserve_.Hold();
}

absl::StatusOr<UnixListenSocket> ListenUnix(Sys& sys, const std::string& path,
                                            const UnixListenOptions& options) {
  absl::Status valid = CheckPath(path);
  if (valid.ok()) valid = CheckOptions(options);
  if (!valid.ok()) return valid;
  UnixListenSocket socket(sys, path);
  absl::Status opened = socket.Open(options);
  if (!opened.ok()) return Shown(opened);
  return socket;
}

absl::StatusOr<UnixListenSocket> AdoptUnix(Sys& sys, ScopedFd fd) {
  absl::Status good = internal::PrepareAdoptedListener(sys, fd.get(), AF_UNIX);
  if (!good.ok()) return good;
  sockaddr_un at = {};
  socklen_t size = sizeof(at);
  const int result =
      sys.Getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  const std::string name = absl::StrCat("descriptor ", fd.get());
  if (result < 0) return ErrnoStatus(result, SysCall::kGetsockname, name);
  const size_t before = offsetof(sockaddr_un, sun_path);
  // The name of an abstract socket begins with a NUL byte.
  if (size <= before || at.sun_path[0] == '\0') {
    return absl::InvalidArgumentError(absl::StrCat(
        name,
        " is a Unix socket without a path; abstract names are not taken, "
        "because no file mode protects them"));
  }
  const size_t most = std::min<size_t>(size - before, sizeof(at.sun_path));
  const std::string path(at.sun_path, ::strnlen(at.sun_path, most));
  UnixListenSocket socket(sys, Printable(path));
  socket.listener_ = std::move(fd);
  const absl::Status held = socket.reserve_.Hold();
  if (!held.ok()) return held;
  return socket;
}

namespace {

absl::StatusOr<ScopedFd> Connect(Sys& sys, const std::string& path,
                                 UnixSocketType type) {
  ScopedFd fd = NewSocket(sys, type);
  if (!fd) return ErrnoStatus(fd.get(), SysCall::kSocket, "AF_UNIX");
  fd.CheckFlags();
  const Address address = AddressOf(path);
  const int result = RetryInterrupted(
      [&] { return sys.Connect(fd.get(), address.get(), address.size); });
  switch (-result) {
    case 0:
      return fd;
    case ENOENT:
      return absl::NotFoundError(absl::StrCat(
          "there is no Unix socket at ", path, "; is the server running?"));
    case ECONNREFUSED: {
      // The kernel says the same of a file that is no socket.
      struct stat file = {};
      if (sys.Stat(path.c_str(), &file) == 0 && !S_ISSOCK(file.st_mode)) {
        return absl::FailedPreconditionError(
            absl::StrCat(path, " is ", KindOf(file.st_mode), ", not a socket"));
      }
      return absl::UnavailableError(
          absl::StrCat("no process listens at ", path,
                       "; its server has ended without removing it"));
    }
    case EAGAIN:
      return absl::UnavailableError(
          absl::StrCat("too many connections wait at ", path, "; try later"));
    case EPROTOTYPE:
      return absl::FailedPreconditionError(absl::StrCat(
          path, " is a Unix socket, but not one for ",
          type == UnixSocketType::kSeqpacket ? "packets (SOCK_SEQPACKET)"
                                             : "streams"));
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          "this user may not connect to ", path,
          "; look at the modes of the socket and of its directories"));
    default:
      return ErrnoStatus(result, SysCall::kConnect, path);
  }
}

}  // namespace

absl::StatusOr<ScopedFd> ConnectUnix(Sys& sys, const std::string& path,
                                     UnixSocketType type) {
  if (absl::Status valid = CheckPath(path); !valid.ok()) return valid;
  absl::StatusOr<ScopedFd> connected = Connect(sys, path, type);
  if (!connected.ok()) return Shown(connected.status());
  return connected;
}

absl::StatusOr<UnixCredentials> PeerCredentials(Sys& sys, int fd) {
  const std::string thing = absl::StrCat("SO_PEERCRED, fd ", fd);
  ucred peer = {};
  socklen_t size = sizeof(peer);
  const int result = sys.Getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
  if (result < 0) return ErrnoStatus(result, SysCall::kGetsockopt, thing);
  // What other kinds of socket answer.
  if (size != sizeof(peer) || peer.uid == static_cast<uid_t>(-1)) {
    return absl::InvalidArgumentError(
        absl::StrCat(thing, ": not a connected Unix socket"));
  }
  return UnixCredentials{.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
}

}  // namespace trolley
