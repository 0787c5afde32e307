// SPDX-License-Identifier: Apache-2.0
//
// RawPeer: the other end of a link as a plain blocking socket that sends the
// bytes that a test gives it; and functions that make such bytes.
//
// Threads: the test's.

#ifndef TROLLEY_TESTS_LINKS_RAW_PEER_H_
#define TROLLEY_TESTS_LINKS_RAW_PEER_H_

#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "trolley/proto/frame.h"
#include "trolley/proto/hello.h"
#include "trolley/proto/link.pb.h"
#include "trolley/proto/wire_error.h"
#include "trolley/tests/links/links_test.pb.h"
#include "trolley/tests/links/transport.h"

namespace trolley::links_test {

// A connection that a RawServer has taken.
struct RawConnection {
  int fd = -1;
  bool tls = false;
};

class RawPeer {
 public:
  explicit RawPeer(const std::string& endpoint) : RawPeer(endpoint, Later()) {
    Connect(endpoint);
  }
  // Has its descriptor, and connects later.
  struct Later {};
  RawPeer(const std::string& endpoint, Later)
      : RawPeer(SocketAddress(endpoint).NewSocket()) {
    if (endpoint.starts_with(kTls)) ContextOf(/*dials=*/true);
  }
  explicit RawPeer(int connected)
      : fd_(connected), packets_(CarriesPackets(connected)) {}
  explicit RawPeer(RawConnection connected) : RawPeer(connected.fd) {
    if (connected.tls) Shake(/*dials=*/false);
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { Close(); }

  // So that it comes from there.
  int BindTo(const std::string& endpoint) {
    const SocketAddress from(endpoint);
    return ::bind(fd_, from.get(), from.size);
  }
  int Connect(const std::string& endpoint) {
    const int connected = Knock(endpoint);
    if (connected == 0 && endpoint.starts_with(kTls)) Shake(/*dials=*/true);
    return connected;
  }
  // Connects, and says nothing: no handshake of TLS either.
  int Knock(const std::string& endpoint) {
    const SocketAddress to(endpoint);
    return ::connect(fd_, to.get(), to.size);
  }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    SSL_free(std::exchange(ssl_, nullptr));
    refused_ = true;
  }
  // Says that nothing more will be said; it may still read.
  void CloseHalf() { ::shutdown(fd_, SHUT_WR); }
  // Reads nothing more; what the other side writes fails. It may still say.
  void CloseReading() { ::shutdown(fd_, SHUT_RD); }
  // Sends what the other side takes; it may have closed.
  void Say(const std::string& bytes) { static_cast<void>(Keep(bytes)); }
  // In one call, and so in one packet.
  bool SayAtOnce(absl::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  // Waits until the other side has taken it. False: it has closed.
  bool Keep(absl::string_view bytes) {
    while (!bytes.empty()) {
      // A blocking send may return after a part. In a process with rings of
      // io_uring the kernel does this now and then.
      const ssize_t n = Send(bytes);
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
      const ssize_t n = Receive(buffer, sizeof(buffer));
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
      n = Receive(buffer, sizeof(buffer));
    } while (n < 0 && errno == EINTR);
    return std::string(buffer, n > 0 ? n : 0);
  }
  // So many, or what there is until it closes.
  std::string Read(size_t bytes) {
    std::string all;
    while (all.size() < bytes) {
      char buffer[4096];
      const ssize_t n =
          Receive(buffer, std::min(sizeof(buffer), bytes - all.size()));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      all.append(buffer, n);
    }
    return all;
  }

 private:
  // It reads files, once: a test may have no descriptor left later.
  static SSL_CTX* ContextOf(bool dials) {
    static SSL_CTX* const contexts[] = {MakeContext(TLS_server_method()),
                                        MakeContext(TLS_client_method())};
    return contexts[dials];
  }
  static SSL_CTX* MakeContext(const SSL_METHOD* method) {
    SSL_CTX* const context = SSL_CTX_new(method);
    const TlsOptions& tls = TestTls();
    SSL_CTX_use_certificate_chain_file(context, tls.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(),
                                SSL_FILETYPE_PEM);
    SSL_CTX_set_num_tickets(context, 0);
    return context;
  }
  // The handshake of TLS. If the other side refuses it, nothing can be said and
  // nothing comes.
  void Shake(bool dials) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    ssl_ = SSL_new(ContextOf(dials));
    SSL_set_fd(ssl_, fd_);
    refused_ = (dials ? SSL_connect(ssl_) : SSL_accept(ssl_)) != 1;
  }
  static bool CarriesPackets(int fd) {
    int type = 0;
    socklen_t size = sizeof(type);
    ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
    return type == SOCK_SEQPACKET;
  }
  // What a packet has that did not fit stays for the next call.
  ssize_t ReceivePacket(char* into, size_t bytes) {
    if (packet_.empty()) {
      packet_.resize(kMostPacketBytes);
      const ssize_t n = ::recv(fd_, packet_.data(), packet_.size(), 0);
      packet_.resize(std::max<ssize_t>(n, 0));
      if (n <= 0) return n;
    }
    const size_t n = std::min(bytes, packet_.size());
    std::memcpy(into, packet_.data(), n);
    packet_.erase(0, n);
    return static_cast<ssize_t>(n);
  }
  ssize_t Send(absl::string_view bytes) {
    if (packets_) bytes = bytes.substr(0, packet_bytes_);
    if (ssl_ == nullptr) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      // The buffer of the socket is smaller than such a packet.
      if (n >= 0 || errno != EMSGSIZE || packet_bytes_ == 1) return n;
      packet_bytes_ /= 2;
      return Send(bytes);
    }
    if (refused_) return -1;
    return Retried(
        SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())));
  }
  ssize_t Receive(char* into, size_t bytes) {
    if (packets_) return ReceivePacket(into, bytes);
    if (ssl_ == nullptr) return ::recv(fd_, into, bytes, 0);
    if (refused_) return 0;
    return Retried(SSL_read(ssl_, into, static_cast<int>(bytes)));
  }
  // Of a call of OpenSSL: errno is EINTR if it was interrupted, as it is for a
  // system call.
  int Retried(int n) {
    const int error = n > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, n);
    const bool interrupted =
        error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (n <= 0) errno = interrupted ? EINTR : EPIPE;
    return n;
  }

  // The longest packet of a link, in bytes (proto/README.md).
  static constexpr size_t kMostPacketBytes = 64 << 10;

  int fd_;
  const bool packets_;
  std::string packet_;  // what was received and not read yet
  size_t packet_bytes_ = kMostPacketBytes;
  SSL* ssl_ = nullptr;  // null: plain
  bool refused_ = false;
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
    ::unlink(WithoutPrefix(endpoint_).c_str());
  }
  void Listen() {
    // Connections take little that is not read: the kernel would make more and
    // more room for them.
    const int few = 16 << 10;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
    ::listen(fd_, 8);
  }
  // Waits for one.
  RawConnection Accept() {
    return {.fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC),
            .tls = endpoint_.starts_with(kTls)};
  }

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

// A watch of the actor `target`.
inline std::string WatchOf(const std::string& target, uint64_t ask_id) {
  link::v1::Envelope envelope;
  envelope.mutable_message()->set_target(target);
  envelope.mutable_message()->set_type("trolley.link.v1.Watch");
  envelope.mutable_message()->set_ask_id(ask_id);
  envelope.mutable_message()->set_remaining_ns(
      std::numeric_limits<int64_t>::max());
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

// Waits for the next DATA frame. An empty one: `peer` has closed.
inline link::v1::Envelope NextEnvelope(RawPeer& peer) {
  for (;;) {
    const std::string header = peer.Read(wire::kFrameHeaderBytes);
    if (header.size() < wire::kFrameHeaderBytes) return {};
    uint32_t length = 0;
    std::memcpy(&length, header.data(), sizeof(length));
    const std::string payload = peer.Read(length);
    link::v1::Envelope envelope;
    if (static_cast<wire::FrameType>(header[4]) == wire::FrameType::kData &&
        envelope.ParseFromString(payload)) {
      return envelope;
    }
  }
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
