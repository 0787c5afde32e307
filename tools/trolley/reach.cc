// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/reach.h"

#include <poll.h>
#include <time.h>

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/unix/unix_socket.h"
#include "trolley/poller/printable.h"
#include "trolley/poller/sys.h"

namespace trolley::tools {
namespace {

constexpr char kFindIt[] =
    "use the path that the program has set as ControlOptions::path";

std::string HintFor(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      return absl::StrCat("start the program, or ", kFindIt);
    case absl::StatusCode::kPermissionDenied:
      return "only the user that runs the program, and root, may connect";
    case absl::StatusCode::kUnavailable:
      return absl::StrContains(error.message(), "too many")
                 ? "the program may be stopped or stuck; `ps` shows its state"
                 : "the program that made this socket has ended; start it "
                   "again";
    default:
      return kFindIt;
  }
}

// Reads the first bytes of the other side. Empty: it closed or sent nothing.
std::string Listen(int fd, absl::Duration limit, bool* ended) {
  pollfd waiting = {.fd = fd, .events = POLLIN, .revents = 0};
  const timespec most = absl::ToTimespec(limit);
  *ended = false;
  if (RealSys().Ppoll(absl::MakeSpan(&waiting, 1), &most) <= 0) return "";
  std::array<char, 64> bytes;
  const ssize_t n = RealSys().Read(fd, absl::MakeSpan(bytes));
  *ended = n <= 0;
  return n > 0 ? std::string(bytes.data(), n) : "";
}

// Sends the first bytes of an HTTP/2 client. An error does not matter: the peer
// may have closed already.
void Greet(int fd) {
  char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
  iovec bytes = {.iov_base = preface, .iov_len = sizeof(preface) - 1};
  msghdr message = {};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  RealSys().Sendmsg(fd, &message, MSG_NOSIGNAL);
}

// True if `said` begins with the header of an HTTP/2 SETTINGS frame on stream
// 0.
bool IsHttp2(const std::string& said) {
  return said.size() >= 9 && said[3] == 4 && said[4] == 0 &&
         said.substr(5, 4) == std::string(4, '\0');
}

}  // namespace

Reached Reach(const std::string& path, absl::Duration limit) {
  const absl::StatusOr<ScopedFd> fd = ConnectUnix(RealSys(), path);
  if (!fd.ok()) {
    return {Printable(std::string(fd.status().message())),
            HintFor(fd.status())};
  }
  Greet(fd->get());
  bool ended;
  const std::string said = Listen(fd->get(), limit, &ended);
  if (IsHttp2(said)) return {};
  const std::string shown = Printable(path);
  if (ended) {
    return {absl::StrCat(shown, " closes the connection without an answer"),
            "the program's log says why, for example that your user is not "
            "allowed; or it is not a control socket"};
  }
  if (said.empty()) {
    return {absl::StrCat(shown, " accepts the connection but sends nothing"),
            "the program may be stopped or stuck; `ps` shows its state; or it "
            "is not a control socket"};
  }
  const std::string links =
      absl::StartsWith(said, "TRLY") ? ": it is a socket for links" : "";
  return {absl::StrCat(shown, " is not a control socket", links), kFindIt};
}

}  // namespace trolley::tools
