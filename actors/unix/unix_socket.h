// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets as files. ListenUnix() never takes the path of a live server.
// ConnectUnix() returns an error that names the cause. PeerCredentials() tells
// the user of the peer. No call waits: each descriptor is non-blocking, and it
// is close-on-exec.
//
//   absl::StatusOr<trolley::UnixListenSocket> listening =
//       trolley::ListenUnix(trolley::RealSys(), "/run/words.sock");
//   absl::StatusOr<trolley::ScopedFd> connection = listening->Accept();
//
// Ownership: a UnixListenSocket owns its descriptors, its path and PATH.lock.
//            The caller owns the connections. The Sys outlives all of them.
// Threads:   one at a time for each object.
// Bounds:    `backlog` connections wait in the kernel; three descriptors for a
//            listener, one of them in reserve.
// Ends:      Close(), or the destructor: the path is removed if it still is the
//            socket that was made here, and PATH.lock if it still is the empty
//            file that was locked here.
//
// How a path is taken, so that two servers never share or steal it:
//
//   1. The server makes PATH.lock. An empty file of this user that is there
//      already was left by a server that was killed, and is used again. Any
//      other file is left as it is, and is an error.
//   2. The server locks PATH.lock (flock). If another process holds the lock,
//      that server lives. The kernel ends a lock when its process ends.
//   3. The server looks at PATH:
//
//        nothing is there                good
//        a file that is no socket        an error; the file is left as it is
//        a socket that can be            an error: that server lives
//          connected to
//        a socket that refuses           its server has ended; the file is
//                                        removed
//
//   4. The mode is set before the path exists. So at no moment can other users
//      connect.

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
#include "absl/strings/string_view.h"
#include "trolley/actors/link/internal/accept_reserve.h"
#include "trolley/poller/scoped_fd.h"
#include "trolley/poller/sys.h"

namespace trolley {

// The longest path of a Unix socket, in bytes; the kernel's limit.
inline constexpr size_t kMaxUnixPathBytes = 107;

// What a connection carries.
enum class UnixSocketType : uint8_t {
  kStream,     // SOCK_STREAM: a stream of bytes; the usual one
  kSeqpacket,  // SOCK_SEQPACKET: packets, in order
};

struct UnixListenOptions {
  // The permissions of the socket file, within 0777. A user with write
  // permission may connect. 0600: this user and root. If the umask of the
  // process takes one of these bits away, ListenUnix() fails.
  mode_t mode = 0600;

  // Connections that may wait to be accepted; a count, 0 or more. 128: a burst
  // of clients at start. The kernel cuts it at net.core.somaxconn.
  int backlog = 128;

  // A client connects with the same type, or not at all.
  UnixSocketType type = UnixSocketType::kStream;
};

// The user and the process of the peer at the time of its connect() or
// listen(). A descriptor that was passed to another process keeps the
// credentials of the process that made it. `pid` is a hint for people: numbers
// are reused, so no code decides by it.
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
  //   Unavailable         no connection waits; wait until fd() is readable
  //   ResourceExhausted   no descriptor or no memory is left. If has_reserve()
  //                       is true after the call, the connection was taken and
  //                       closed: call Accept() again. If it is false, the
  //                       connection still waits, and fd() stays readable: do
  //                       not watch fd() for a while
  //   other codes         the listener is broken (poller/errno_status.h)
  absl::StatusOr<ScopedFd> Accept() { return reserve_.Accept(fd(), path_); }

  // To be watched for kReadable. -1 after Close().
  int fd() const { return listener_.get(); }
  const std::string& path() const { return path_; }

  // Connections closed because nothing was left to serve them; a count.
  uint64_t turned_away() const { return reserve_.turned_away(); }
  bool has_reserve() const { return reserve_.held(); }

  // Ends listening. Removes the path, if it still is the socket that was made
  // here. Connections that were accepted go on. A second call does nothing.
  void Close();

 private:
  friend absl::StatusOr<UnixListenSocket> ListenUnix(Sys&, const std::string&,
                                                     const UnixListenOptions&);
  friend absl::StatusOr<UnixListenSocket> AdoptUnix(Sys&, ScopedFd);
  struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    friend bool operator==(const FileId&, const FileId&) = default;
  };

  UnixListenSocket(Sys& sys, std::string path)
      : sys_(&sys), path_(std::move(path)), reserve_(sys) {}

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

  Sys* sys_;
  std::string path_;
  ScopedFd lock_;      // holds the flock
  ScopedFd listener_;  // keeps the inode, so its number is not given out again
  internal::AcceptReserve reserve_;
  FileId lock_id_;
  bool lock_is_ours_ = false;  // made here, or left by a server before us
  FileId socket_id_;           // 0, 0 until bound
};

// InvalidArgument: `type` is none of its enumerators. `field` names it.
absl::Status CheckUnixSocketType(UnixSocketType type, absl::string_view field);

// Listens at `path`.
//
//   InvalidArgument      the path is empty, is longer than kMaxUnixPathBytes or
//                        has a NUL; an option is out of its range; or the
//                        directory of the path is no directory
//   NotFound             the directory does not exist
//   AlreadyExists        a live server has the path; the text names its process
//   FailedPrecondition   a file that is no socket is at the path; a file other
//                        than an empty one of this user is at PATH.lock; the
//                        directory belongs to another user than this one or
//                        root; other users may write to the directory, and it
//                        is not sticky as /tmp is; or the umask takes away a
//                        bit of options.mode
//   PermissionDenied     this user may not write there
//   other codes          a call failed; the text names it
//                        (poller/errno_status.h)
absl::StatusOr<UnixListenSocket> ListenUnix(
    Sys& sys, const std::string& path, const UnixListenOptions& options = {});

// Takes a socket that listens already, such as one of the service manager
// (actors/systemd/listen_sockets.h). Its path stays when the listener ends.
//
//   InvalidArgument     `fd` is no listening Unix socket, or has no path
//   ResourceExhausted   no descriptor is left for the reserve
//   other codes         a call failed (poller/errno_status.h)
absl::StatusOr<UnixListenSocket> AdoptUnix(Sys& sys, ScopedFd fd);

// Connects. Never waits.
//
//   InvalidArgument      the path, as for ListenUnix
//   NotFound             no file is there
//   Unavailable          no process listens there; or the queue of connections
//                        to accept is full; try later
//   PermissionDenied     this user may not connect
//   FailedPrecondition   the file is no socket, or no socket of this type
//   other codes          a call failed (poller/errno_status.h)
absl::StatusOr<ScopedFd> ConnectUnix(
    Sys& sys, const std::string& path,
    UnixSocketType type = UnixSocketType::kStream);

// The credentials of the peer of a connected socket. InvalidArgument: `fd` is
// no Unix socket.
absl::StatusOr<UnixCredentials> PeerCredentials(Sys& sys, int fd);

}  // namespace trolley

#endif  // TROLLEY_ACTORS_UNIX_UNIX_SOCKET_H_
