// SPDX-License-Identifier: Apache-2.0
//
// ZeroMQ within a process: inproc, which needs no I/O thread, and PUSH to PULL;
// numbers fit into its messages without memory of
// their own. High water marks are high enough not to be met: meeting one
// stops the sender.

#include <zmq.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "tests/bench/peers/queue_workloads.h"

namespace trolley::bench {
namespace {

void Check(bool good, const char* what) {
  if (!good) Die(std::string(what) + ": " + zmq_strerror(zmq_errno()));
}

class ZmqChannel {
 public:
  explicit ZmqChannel(bool spin) : spin_(spin), context_(zmq_ctx_new()) {
    zmq_ctx_set(context_, ZMQ_IO_THREADS, 0);
  }
  ~ZmqChannel() { zmq_ctx_term(context_); }

  class Socket {
   public:
    Socket(ZmqChannel& channel, int type)
        : socket_(zmq_socket(channel.context_, type)) {
      Check(socket_ != nullptr, "zmq_socket");
      const int messages = 100'000, linger = 0;
      zmq_setsockopt(socket_, ZMQ_SNDHWM, &messages, sizeof(messages));
      zmq_setsockopt(socket_, ZMQ_RCVHWM, &messages, sizeof(messages));
      zmq_setsockopt(socket_, ZMQ_LINGER, &linger, sizeof(linger));
    }
    ~Socket() { zmq_close(socket_); }
    operator void*() const { return socket_; }  // NOLINT: it is one

   private:
    void* const socket_;
  };

  class Source {
   public:
    explicit Source(ZmqChannel& channel) : socket_(channel, ZMQ_PUSH) {
      Check(zmq_connect(socket_, "inproc://bench") == 0, "zmq_connect");
    }
    void Put(uint64_t value) {
      Check(zmq_send(socket_, &value, sizeof(value), 0) == sizeof(value),
            "zmq_send");
    }
    void Flush() {}

   private:
    const Socket socket_;
  };

  class Sink {
   public:
    explicit Sink(ZmqChannel& channel)
        : socket_(channel, ZMQ_PULL), spin_(channel.spin_) {
      Check(zmq_bind(socket_, "inproc://bench") == 0, "zmq_bind");
    }
    uint64_t Get() {
      uint64_t value;
      const int flags = spin_ ? ZMQ_DONTWAIT : 0;
      while (zmq_recv(socket_, &value, sizeof(value), flags) != sizeof(value)) {
        Check(spin_ && zmq_errno() == EAGAIN, "zmq_recv");
      }
      return value;
    }

   private:
    const Socket socket_;
    const bool spin_;
  };

 private:
  const bool spin_;
  void* const context_;
};

std::string Name() {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  return "zeromq-" + std::to_string(major) + "." + std::to_string(minor) + "." +
         std::to_string(patch);
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  AddPingPongOver<ZmqChannel>(bench, Name(), true);
  AddStreamsOver<ZmqChannel>(bench, Name(), 2'000'000, false);
  AddAsksOver<ZmqChannel>(bench, Name(), true);
  return bench.Main(argc, argv);
}
