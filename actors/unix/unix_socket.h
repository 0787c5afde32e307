// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets as files: listening at a path without taking one that is in use,
// connecting with an error that says what is wrong, and who the peer is.
// Everything here is non-blocking, and close-on-exec; waiting is the loop's.
//
// Ownership: a UnixListenSocket owns its descriptors, its path and PATH.lock;
//            connections belong to whom they are returned. The Sys outlives
//            all.
// Threads:   one at a time for each object.
// Bounds:    `backlog` connections wait in the kernel; three descriptors for a
//            listener, one of them in reserve.
// Ends:      Close(), or the destructor: the path is removed if it still is the
//            socket that was made here, and PATH.lock if it still is the empty
//            file that was locked here.
//
// How a path is taken, so that two servers never share or steal it:
//
//   1. PATH.lock is made, or is there already as an empty file of ours, which
//      a killed server left; anything else is never touched, an error. It is
//      locked (flock). Held by another: that server lives. The kernel lets go
//      of it when a process ends, however it ends.
//   2. What stands at PATH? Nothing: good. No socket: never touched, an error.
//      A socket: try to connect. An answer: that server lives. Refused: its
//      server is gone, and the file is removed.
//   3. The mode is set before the path exists, so there is no moment at which
//      others could connect.

#ifndef TROLLEY_ACTORS_UNIX_UNIX_SOCKET_H_
#define TROLLEY_ACTORS_UNIX_UNIX_SOCKET_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

// The longest path of a Unix socket, in bytes; the kernel's limit.
inline constexpr size_t kMaxUnixPathBytes = 107;

struct UnixListenOptions {
  // Permissions of the socket file, within 0777; who may write may connect.
  // 0600: this user (and root) only. The umask of the process takes bits away:
  // see ListenUnix.
  mode_t mode = 0600;

  // Connections that may wait to be accepted; a count, 0 or more. 128: a burst
  // of clients at start. The kernel cuts it at net.core.somaxconn.
  int backlog = 128;
};

// The peer's user and process at the time of its connect() or listen(). A
// descriptor that was handed on keeps the credentials of its maker. `pid` is a
// hint for people: numbers are reused, so nothing is decided by it.
struct UnixCredentials {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
};

class UnixListenSocket {
 public:
  UnixListenSocket(UnixListenSocket&& other) noexcept;
  UnixListenSocket& operator=(UnixListenSocket&& other) noexcept;
  ~UnixListenSocket() { Close(); }

  // Takes one waiting connection.
  // Unavailable: none waits; wait until fd() is readable.
  // ResourceExhausted: the process or the system has no descriptor, or no
  // memory, left. If has_reserve() still, the connection was taken and closed
  // at once, so its peer knows and fd() is not readable for ever: go on. If
  // not, it still waits: leave fd() alone for a while instead of spinning.
  // Other codes, by errno_status.h: the listener is broken.
  absl::StatusOr<ScopedFd> Accept();

  // To be watched for kReadable. -1 after Close().
  int fd() const { return listener_.get(); }
  const std::string& path() const { return path_; }

  // Connections closed because nothing was left to serve them; a count.
  uint64_t turned_away() const { return turned_away_; }
  bool has_reserve() const { return static_cast<bool>(reserve_); }

  // Ends listening and removes the path, unless something else has taken its
  // place; connections that were accepted live on. Twice is as good as once.
  void Close();

 private:
  friend absl::StatusOr<UnixListenSocket> ListenUnix(Sys&, const std::string&,
                                                     const UnixListenOptions&);
  struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FileId&, const FileId&) = default;
  };

  UnixListenSocket(Sys& sys, std::string path)
      : sys_(&sys), path_(std::move(path)) {}

  absl::Status Open(const UnixListenOptions& options);
  absl::Status CheckDirectory(uid_t own_uid) const;
  absl::Status CheckLock(const struct stat& file, uid_t own_uid) const;
  absl::StatusOr<ScopedFd> OpenLock(uid_t own_uid, bool* made);
  absl::Status Lock(uid_t own_uid);
  bool MayRemoveLock() const;
  absl::Status ClearPath() const;
  absl::Status BindAndListen(const UnixListenOptions& options);
  absl::Status InUse() const;
  std::string lock_path() const { return path_ + ".lock"; }
  bool IsStill(const std::string& path, const FileId& id) const;
  int TurnOneAway();
  void HoldReserve();

  Sys* sys_;
  std::string path_;
  ScopedFd lock_;      // holds the flock
  ScopedFd listener_;  // keeps the inode, so its number is not given out again
  ScopedFd reserve_;   // given up for a moment when there is no other
  FileId lock_id_;
  bool lock_is_ours_ = false;  // made here, or left by a server before us
  FileId socket_id_;           // 0, 0 until bound
  uint64_t turned_away_ = 0;
};

// Listens for streams at `path`.
// InvalidArgument: the path is empty, longer than kMaxUnixPathBytes or holds a
// NUL; an option is out of its range; or its directory is no directory.
// NotFound: the directory does not exist.
// AlreadyExists: a live server has the path; the text names its process.
// FailedPrecondition: something else than a socket stands there, or something
// else than an empty file of this user at PATH.lock (it is left as it is); the
// directory belongs to another user than this one and root; others may write to
// the directory (and it is not sticky, as /tmp is), so they could put a socket
// of theirs there; or the umask takes away a bit of options.mode.
// PermissionDenied: this user may not write there. Other codes, by
// errno_status.h: a call failed; the text names it.
absl::StatusOr<UnixListenSocket> ListenUnix(
    Sys& sys, const std::string& path, const UnixListenOptions& options = {});

// Connects a stream. Never waits: what is not possible at once is an error.
// InvalidArgument: as ListenUnix. NotFound: nothing is there. Unavailable:
// nobody listens there, or too many wait to be accepted; try later.
// PermissionDenied: this user may not connect. FailedPrecondition: something
// else than a listening stream socket is there.
absl::StatusOr<ScopedFd> ConnectUnix(Sys& sys, const std::string& path);

// Of a connected socket. InvalidArgument: `fd` is no Unix socket.
absl::StatusOr<UnixCredentials> PeerCredentials(Sys& sys, int fd);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_UNIX_SOCKET_H_
