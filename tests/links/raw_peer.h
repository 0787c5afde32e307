// SPDX-License-Identifier: Apache-2.0
//
// RawPeer: the other end of a link as a plain blocking socket that sends the
// bytes that a test gives it; and functions that make such bytes.
//
// Threads: the test's.

#ifndef TROLLEY_TESTS_LINKS_RAW_PEER_H_
#define TROLLEY_TESTS_LINKS_RAW_PEER_H_

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/link.pb.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/links/links_test.pb.h"
#include "trolley/tests/links/transport.h"

namespace trolley::links_test {

class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : RawPeer(endpoint, Later()) {
    Connect(endpoint);
  }
  // Has its descriptor, and connects later.
  struct Later {};
  RawPeer(const std::string& endpoint, Later)
      : fd_(SocketAddress(endpoint).NewSocket()) {}
  explicit RawPeer(int connected) : fd_(connected) {}
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { Close(); }

  // So that it comes from there.
  int BindTo(const std::string& endpoint) {
    const SocketAddress from(endpoint);
    return ::bind(fd_, from.get(), from.size);
  }
  int Connect(const std::string& endpoint) {
    const SocketAddress to(endpoint);
    return ::connect(fd_, to.get(), to.size);
  }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Says that nothing more will be said; it may still read.
  void CloseHalf() { ::shutdown(fd_, SHUT_WR); }
  // Reads nothing more; what the other side writes fails. It may still say.
  void CloseReading() { ::shutdown(fd_, SHUT_RD); }
  // Sends what the other side takes; it may have closed.
  void Say(const std::string& bytes) { static_cast<void>(Keep(bytes)); }
  // Waits until the other side has taken it. False: it has closed.
  bool Keep(absl::string_view bytes) {
    while (!bytes.empty()) {
      // A blocking send may return after a part. In a process with rings of
      // io_uring the kernel does this now and then.
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      bytes.remove_prefix(n);
    }
    return true;
  }
  // False: the other side has left so much unread that Keep() may wait.
  bool CanKeep() const {
    pollfd one = {.fd = fd_, .events = POLLOUT};
    return ::poll(&one, 1, 0) > 0;
  }
  // All the other side says until it closes.
  std::string ReadToTheEnd() {
    std::string all;
    char buffer[65536];
    for (;;) {
      const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return all;
      all.append(buffer, n);
    }
  }
  // What there is, once there is something; "": it has closed.
  std::string ReadSome() {
    char buffer[65536];
    ssize_t n;
    do {
      n = ::recv(fd_, buffer, sizeof(buffer), 0);
    } while (n < 0 && errno == EINTR);
    return std::string(buffer, n > 0 ? n : 0);
  }
  // So many, or what there is until it closes.
  std::string Read(size_t bytes) {
    std::string all;
    while (all.size() < bytes) {
      char buffer[4096];
      const ssize_t n =
          ::recv(fd_, buffer, std::min(sizeof(buffer), bytes - all.size()), 0);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      all.append(buffer, n);
    }
    return all;
  }

 private:
  int fd_;
};

// Takes connections at `endpoint` with the same manners.
class RawServer {
 public:
  explicit RawServer(const std::string& endpoint)
      : endpoint_(endpoint), fd_(SocketAddress(endpoint).NewSocket()) {
    const SocketAddress at(endpoint);
    ::bind(fd_, at.get(), at.size);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  ~RawServer() {
    ::close(fd_);
    if (endpoint_[0] == '/') ::unlink(endpoint_.c_str());
  }
  void Listen() {
    // Connections take little that is not read: the kernel would make more and
    // more room for them.
    const int few = 16 << 10;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
    ::listen(fd_, 8);
  }
  // Waits for one.
  int Accept() { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  const std::string endpoint_;
  const int fd_;
};

inline std::string HelloOf(const wire::Hello& fields) {
  std::string hello(wire::kHelloBytes, '\0');
  wire::EncodeHello(fields, hello.data());
  return hello;
}
inline std::string GoodHello() { return HelloOf({.instance_id = 1}); }
// It grants all there is.
inline std::string GreedyHello() {
  return HelloOf(
      {.initial_credit_bytes = wire::kMostCreditBytes, .instance_id = 1});
}

inline std::string Header(const wire::FrameHeader& header) {
  std::string bytes(wire::kFrameHeaderBytes, '\0');
  wire::EncodeFrameHeader(header, bytes.data());
  return bytes;
}

inline std::string Data(uint64_t sequence, const std::string& payload) {
  return Header({.length = static_cast<uint32_t>(payload.size()),
                 .sequence = sequence}) +
         payload;
}

inline std::string GoAway(absl::string_view text) {
  std::string bytes(8, '\0');
  return Header({.length = static_cast<uint32_t>(8 + text.size()),
                 .type = wire::FrameType::kGoAway}) +
         bytes + std::string(text);
}
inline std::string Ping() {
  return Header({.length = 8, .type = wire::FrameType::kPing}) + "12345678";
}
inline std::string ErrorFrame(wire::WireError error, std::string_view text) {
  std::string bytes;
  wire::AppendErrorFrame(error, text, &bytes);
  return bytes;
}

// An Envelope with an Ask (`ask_id` 0: a tell) for the actor `target`.
inline std::string MessageTo(const std::string& target, uint64_t ask_id,
                             int64_t remaining_ns) {
  link::v1::Envelope envelope;
  envelope.mutable_message()->set_target(target);
  envelope.mutable_message()->set_type("trolley.links_test.Ask");
  envelope.mutable_message()->set_ask_id(ask_id);
  envelope.mutable_message()->set_remaining_ns(remaining_ns);
  return envelope.SerializeAsString();
}

inline std::string PutTo(const std::string& target, const Put& put) {
  link::v1::Envelope envelope;
  envelope.mutable_message()->set_target(target);
  envelope.mutable_message()->set_type("trolley.links_test.Put");
  envelope.mutable_message()->set_payload(put.SerializeAsString());
  return envelope.SerializeAsString();
}

struct RawFrame {
  wire::FrameType type;
  std::string payload;
};

// The whole frames in `said`, what came after a Hello; the last may be torn.
inline std::vector<RawFrame> FramesIn(absl::string_view said) {
  std::vector<RawFrame> frames;
  while (said.size() >= wire::kFrameHeaderBytes) {
    uint32_t length = 0;
    std::memcpy(&length, said.data(), sizeof(length));
    const auto type = static_cast<wire::FrameType>(said[4]);
    said.remove_prefix(wire::kFrameHeaderBytes);
    if (said.size() < length) break;
    frames.push_back({type, std::string(said.substr(0, length))});
    said.remove_prefix(length);
  }
  return frames;
}

// The name of the error in the ERROR frame in `said`; "" if there is none.
inline std::string ErrorIn(absl::string_view said) {
  for (const RawFrame& frame : FramesIn(said)) {
    if (frame.type == wire::FrameType::kError) {
      return wire::WireErrorName(
          wire::WireErrorOf(wire::DecodeError(frame.payload)));
    }
  }
  return "";
}

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_RAW_PEER_H_
