// SPDX-License-Identifier: Apache-2.0
//
// ZeroMQ within a process: inproc, which needs no I/O thread, and PUSH to PULL;
// numbers fit into its messages without memory of
// their own. High water marks are high enough not to be met: meeting one
// stops the sender.

#include <zmq.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/peers/queue_workloads.h"
#include "trolley/tests/bench/lib/child.h"
#include "trolley/tests/bench/lib/frames.h"

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

// Between processes: ipc, with an I/O thread on each side; PAIR both ways.

class IpcPair {
 public:
  IpcPair(const std::string& path, bool binds)
      : context_(zmq_ctx_new()), socket_(zmq_socket(context_, ZMQ_PAIR)) {
    const int linger = -1;
    zmq_setsockopt(socket_, ZMQ_LINGER, &linger, sizeof(linger));
    const std::string address = "ipc://" + path;
    Check((binds ? zmq_bind(socket_, address.c_str())
                 : zmq_connect(socket_, address.c_str())) == 0,
          "zmq_bind or zmq_connect");
  }
  ~IpcPair() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  void Send(const void* bytes, size_t size) {
    Check(zmq_send(socket_, bytes, size, 0) >= 0, "zmq_send");
  }
  // Calls `see` with what came, in place.
  template <typename See>
  void Receive(See see) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    Check(zmq_msg_recv(&message, socket_, 0) >= 0, "zmq_msg_recv");
    see(static_cast<const char*>(zmq_msg_data(&message)),
        zmq_msg_size(&message));
    zmq_msg_close(&message);
  }

 private:
  void* const context_;
  void* const socket_;
};

std::string Name() {
  int major, minor, patch;
  zmq_version(&major, &minor, &patch);
  return "zeromq-" + std::to_string(major) + "." + std::to_string(minor) + "." +
         std::to_string(patch);
}

int Serve(const std::vector<std::string>& arguments) {
  IpcPair pair(arguments[1], true);
  SayReady();
  uint64_t left = std::stoull(arguments[2]), came = 0;
  const bool echoes = arguments[0] == "rtt";
  for (; left > 0; --left) {
    pair.Receive([&](const char* bytes, size_t size) {
      if (bytes[0] != 'f') Die("a frame was changed");
      ++came;
      if (echoes) pair.Send(bytes, size);
    });
  }
  if (!echoes) pair.Send(&came, sizeof(came));
  // The last one is on its way: the parent's word that it came ends this.
  pair.Receive([](const char*, size_t) {});
  return 0;
}

Figures FrameTrips(size_t bytes, uint64_t trips) {
  SocketPath socket;
  Child child({"rtt", socket.path(), std::to_string(trips)});
  return OnCpu0([&]() -> Figures {
    IpcPair pair(socket.path(), false);
    const std::string frame(bytes, 'f');
    std::vector<double> times(trips);
    for (double& time : times) {
      const int64_t start = Nanoseconds();
      pair.Send(frame.data(), bytes);
      pair.Receive([&](const char*, size_t size) {
        if (size != bytes) Die("a frame was changed");
      });
      time = static_cast<double>(Nanoseconds() - start);
    }
    pair.Send("", 0);
    return Percentiles(std::move(times));
  });
}

Figures FrameStreams(size_t bytes, uint64_t frames) {
  SocketPath socket;
  Child child({"oneway", socket.path(), std::to_string(frames)});
  return OnCpu0([&]() -> Figures {
    IpcPair pair(socket.path(), false);
    const std::string frame(bytes, 'f');
    const int64_t start = Nanoseconds();
    for (uint64_t i = 0; i < frames; ++i) pair.Send(frame.data(), bytes);
    uint64_t came = 0;
    pair.Receive([&](const char* answer, size_t size) {
      if (size == sizeof(came)) std::memcpy(&came, answer, size);
    });
    const int64_t took = Nanoseconds() - start;
    if (came != frames) Die("a frame was lost");
    pair.Send("", 0);
    return Millions(frames, took);
  });
}

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  if (IsChild(argc, argv)) return Serve(ChildArguments(argc, argv));
  Bench bench;
  AddPingPongOver<ZmqChannel>(bench, Name(), true);
  AddStreamsOver<ZmqChannel>(bench, Name(), 2'000'000, false);
  AddAsksOver<ZmqChannel>(bench, Name(), true);
  AddFrames(bench, "unix", Name(), FrameTrips, FrameStreams);
  return bench.Main(argc, argv);
}
