// SPDX-License-Identifier: Apache-2.0
//
// nng within a process: inproc, PUSH to PULL; REQ and REP with contexts for
// what is asked. Messages are allocated by the sender and handed over. Its own
// threads do part of the work, and it has no way to look without them. They
// inherit the pinning of the first thread that uses nng, so main() starts them.

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/peers/queue_workloads.h"
#include "trolley/tests/bench/lib/child.h"
#include "trolley/tests/bench/lib/frames.h"

namespace trolley::bench {
namespace {

void Check(int error, const char* what) {
  if (error != 0) Die(std::string(what) + ": " + nng_strerror(error));
}

std::string NewAddress() {
  static std::atomic<int> last = 0;
  return "inproc://bench" + std::to_string(++last);
}

nng_msg* NewMessage(uint64_t value) {
  nng_msg* message;
  Check(nng_msg_alloc(&message, sizeof(value)), "nng_msg_alloc");
  std::memcpy(nng_msg_body(message), &value, sizeof(value));
  return message;
}

uint64_t ValueOf(nng_msg* message) {
  uint64_t value;
  if (nng_msg_len(message) != sizeof(value)) Die("a message was changed");
  std::memcpy(&value, nng_msg_body(message), sizeof(value));
  return value;
}

class NngChannel {
 public:
  explicit NngChannel(bool) : address_(NewAddress()) {}

  class Source {
   public:
    explicit Source(NngChannel& channel) {
      Check(nng_push0_open(&socket_), "nng_push0_open");
      nng_socket_set_int(socket_, NNG_OPT_SENDBUF, 8192);
      Check(nng_dial(socket_, channel.address_.c_str(), nullptr, 0),
            "nng_dial");
    }
    ~Source() { nng_close(socket_); }
    void Put(uint64_t value) {
      Check(nng_sendmsg(socket_, NewMessage(value), 0), "nng_sendmsg");
    }
    void Flush() {}

   private:
    nng_socket socket_;
  };

  class Sink {
   public:
    explicit Sink(NngChannel& channel) {
      Check(nng_pull0_open(&socket_), "nng_pull0_open");
      nng_socket_set_int(socket_, NNG_OPT_RECVBUF, 8192);
      Check(nng_listen(socket_, channel.address_.c_str(), nullptr, 0),
            "nng_listen");
    }
    ~Sink() { nng_close(socket_); }
    uint64_t Get() {
      nng_msg* message;
      Check(nng_recvmsg(socket_, &message, 0), "nng_recvmsg");
      const uint64_t value = ValueOf(message);
      nng_msg_free(message);
      return value;
    }

   private:
    nng_socket socket_;
  };

 private:
  const std::string address_;
};

// Asks through contexts, each with its own question and reply in flight, from
// nng's callbacks; a thread answers.

struct Asker {
  nng_socket socket;
  std::atomic<uint64_t> asked = 0;
  std::atomic<uint64_t> replied = 0;
  std::atomic<uint64_t> sum = 0;
  std::atomic<bool> over = false;
  uint64_t asks;

  bool Next(uint64_t* number) {
    *number = ++asked;
    return *number <= asks;
  }
};

class Question {
 public:
  explicit Question(Asker& asker) : asker_(asker) {
    Check(nng_ctx_open(&context_, asker.socket), "nng_ctx_open");
    Check(nng_aio_alloc(
              &aio_, [](void* self) { static_cast<Question*>(self)->Done(); },
              this),
          "nng_aio_alloc");
    nng_aio_set_timeout(aio_, 10'000);
  }
  ~Question() {
    nng_aio_stop(aio_);
    nng_aio_free(aio_);
    nng_ctx_close(context_);
  }
  void Ask() {
    uint64_t number;
    if (!asker_.Next(&number)) return;
    sending_ = true;
    nng_aio_set_msg(aio_, NewMessage(number));
    nng_ctx_send(context_, aio_);
  }

 private:
  void Done() {
    const int error = nng_aio_result(aio_);
    if (error == NNG_ECANCELED || error == NNG_ECLOSED) return;
    Check(error, "asking");
    if (sending_) {
      sending_ = false;
      nng_ctx_recv(context_, aio_);
      return;
    }
    nng_msg* reply = nng_aio_get_msg(aio_);
    asker_.sum += ValueOf(reply);
    nng_msg_free(reply);
    if (++asker_.replied == asker_.asks) {
      asker_.over = true;
      asker_.over.notify_one();
      return;
    }
    Ask();
  }

  Asker& asker_;
  nng_ctx context_;
  nng_aio* aio_ = nullptr;
  bool sending_ = false;
};

Figures Asks(int in_flight, uint64_t asks) {
  const std::string address = NewAddress();
  nng_socket server;
  Asker asker;
  asker.asks = asks;
  Check(nng_rep0_open(&server), "nng_rep0_open");
  Check(nng_req0_open(&asker.socket), "nng_req0_open");
  Check(nng_listen(server, address.c_str(), nullptr, 0), "nng_listen");
  Check(nng_dial(asker.socket, address.c_str(), nullptr, 0), "nng_dial");
  std::thread answers([&] {
    PinTo(0);
    for (uint64_t left = asks; left > 0; --left) {
      nng_msg* message;
      Check(nng_recvmsg(server, &message, 0), "nng_recvmsg");
      const uint64_t reply = ValueOf(message) + 1;
      std::memcpy(nng_msg_body(message), &reply, sizeof(reply));
      Check(nng_sendmsg(server, message, 0), "nng_sendmsg");
    }
  });
  int64_t took;
  {
    std::vector<std::unique_ptr<Question>> questions;
    for (int i = 0; i < in_flight; ++i) {
      questions.push_back(std::make_unique<Question>(asker));
    }
    const int64_t start = Nanoseconds();
    for (auto& question : questions) question->Ask();
    asker.over.wait(false);
    took = Nanoseconds() - start;
  }
  answers.join();
  nng_close(asker.socket);
  nng_close(server);
  if (asker.sum != asks + asks * (asks + 1) / 2) Die("a reply was lost");
  return Millions(asks, took);
}

// Between processes: ipc, PAIR both ways.

class NngPair {
 public:
  NngPair(const std::string& path, bool listens) {
    Check(nng_pair0_open(&socket_), "nng_pair0_open");
    nng_socket_set_int(socket_, NNG_OPT_SENDBUF, 1024);
    nng_socket_set_int(socket_, NNG_OPT_RECVBUF, 1024);
    nng_socket_set_size(socket_, NNG_OPT_RECVMAXSZ, 0);
    const std::string address = "ipc://" + path;
    Check(listens ? nng_listen(socket_, address.c_str(), nullptr, 0)
                  : nng_dial(socket_, address.c_str(), nullptr, 0),
          "nng_listen or nng_dial");
  }
  ~NngPair() { nng_close(socket_); }
  void Send(const void* bytes, size_t size) {
    nng_msg* message;
    Check(nng_msg_alloc(&message, size), "nng_msg_alloc");
    std::memcpy(nng_msg_body(message), bytes, size);
    Check(nng_sendmsg(socket_, message, 0), "nng_sendmsg");
  }
  template <typename See>
  void Receive(See see) {
    nng_msg* message;
    Check(nng_recvmsg(socket_, &message, 0), "nng_recvmsg");
    see(static_cast<const char*>(nng_msg_body(message)), nng_msg_len(message));
    nng_msg_free(message);
  }

 private:
  nng_socket socket_;
};

int Serve(const std::vector<std::string>& arguments) {
  NngPair pair(arguments[1], true);
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
    NngPair pair(socket.path(), false);
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
    NngPair pair(socket.path(), false);
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
  const std::string who = std::string("nng-") + nng_version();
  { NngChannel::Sink starts_the_library(*std::make_unique<NngChannel>(false)); }
  Bench bench;
  AddPingPongOver<NngChannel>(bench, who, false);
  AddStreamsOver<NngChannel>(bench, who, 400'000, false);
  bench.Add(kAsk1, who,
            [](double scale) { return Asks(1, Scaled(20'000, scale)); });
  bench.Add(kAsk64, who,
            [](double scale) { return Asks(64, Scaled(200'000, scale)); });
  AddFrames(bench, "unix", who, FrameTrips, FrameStreams);
  return bench.Main(argc, argv);
}
