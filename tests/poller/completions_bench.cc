// SPDX-License-Identifier: Apache-2.0
//
// Compares ways to use io_uring: readiness, one read at a time, or reads that
// stay and have their own buffers; and for wakes, messages between rings or an
// eventfd. Each way is written by hand on IoUringRing and does the same work:
//
//   bazel run --config=opt //tests/poller:completions_bench
//
// Two threads, each on a processor of its own. Five interleaved repetitions; it
// prints the median, the least and the most. docs/design/0004 has the figures.

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "trolley/poller/sys.h"
#include "trolley/poller/uring/io_uring_ring.h"

namespace trolley::internal {
namespace {

// Newer than the oldest headers this builds with.
constexpr int kReadMultishot = 49;
constexpr int kRegisterSendMsgRing = 31;

void Check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(errno));
  std::exit(1);
}

// What the serving thread has used of a processor. On a machine with other work
// it says more than the clock on the wall.
double cpu_ns = 0;

void TakeCpuTime() {
  timespec used = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  cpu_ns = used.tv_sec * 1e9 + used.tv_nsec;
}

void PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu % static_cast<int>(std::thread::hardware_concurrency()), &set);
  sched_setaffinity(0, sizeof(set), &set);
}

// Knows the descriptor of the ring that was opened last.
class RingSys final : public Sys {
 public:
  intptr_t Call(SysCall call, Args args) override {
    const intptr_t result = RealSys().Call(call, args);
    if (call == SysCall::kIoUringSetup && result >= 0) ring = result;
    return result;
  }
  intptr_t ring = -1;
};

struct Ring {
  RingSys sys;
  std::unique_ptr<IoUringRing> ring;
  int fd = -1;

  Ring() {
    auto opened = IoUringRing::Open(sys);
    if (!opened.ok()) {
      std::printf("io_uring: %s\n", opened.status().ToString().c_str());
      std::exit(0);
    }
    ring = *std::move(opened);
    fd = static_cast<int>(sys.ring);
    Check(ring->Enable() == 0, "enable");
  }
  io_uring_sqe& Next(int opcode, int on, uint64_t user_data) {
    int error = 0;
    io_uring_sqe* const sqe = ring->NextSubmission(error);
    Check(sqe != nullptr, "submission");
    sqe->opcode = static_cast<uint8_t>(opcode);
    sqe->fd = on;
    sqe->user_data = user_data;
    return *sqe;
  }
  void Transfer(int opcode, int on, void* data, size_t size, uint64_t user) {
    io_uring_sqe& sqe = Next(opcode, on, user);
    sqe.addr = reinterpret_cast<uint64_t>(data);
    sqe.len = static_cast<uint32_t>(size);
    if (opcode != IORING_OP_SEND) sqe.off = ~uint64_t{0};
    if (opcode == IORING_OP_SEND) sqe.msg_flags = MSG_NOSIGNAL;
  }
  template <typename F>
  void Wait(F handle) {
    while (!ring->HasCompletion()) ring->Enter(true, nullptr);
    while (ring->HasCompletion()) handle(ring->TakeCompletion());
  }
};

// Buffers that the kernel takes as it needs them.
class Provided {
 public:
  Provided(Ring& ring, uint32_t count, size_t size)
      : count_(count), size_(size), bytes_(count * size) {
    // Not by io_uring_buf_ring: to C++ its array begins in the wrong place.
    ring_ = static_cast<io_uring_buf*>(std::aligned_alloc(4096, 4096));
    Check(count * sizeof(io_uring_buf) <= 4096, "too many buffers");
    std::memset(static_cast<void*>(ring_), 0, 4096);
    io_uring_buf_reg reg = {};
    reg.ring_addr = reinterpret_cast<uint64_t>(ring_);
    reg.ring_entries = count;
    Check(ring.sys.IoUringRegister(ring.fd, IORING_REGISTER_PBUF_RING, &reg,
                                   1) == 0,
          "PBUF_RING");
    for (uint32_t i = 0; i < count; ++i) Give(i);
  }
  ~Provided() { std::free(ring_); }
  char* At(uint32_t id) { return bytes_.data() + id * size_; }
  void Give(uint32_t id) {
    io_uring_buf& buffer = ring_[tail_ & (count_ - 1)];
    buffer.addr = reinterpret_cast<uint64_t>(At(id));
    buffer.len = static_cast<uint32_t>(size_);
    buffer.bid = static_cast<uint16_t>(id);
    std::atomic_ref<uint16_t>(ring_->resv).store(++tail_);
  }
  static uint32_t Of(const io_uring_cqe& c) {
    return c.flags >> IORING_CQE_BUFFER_SHIFT;
  }

 private:
  const uint32_t count_;
  const size_t size_;
  std::vector<char> bytes_;
  io_uring_buf* ring_;  // the tail is the first one's `resv`
  uint16_t tail_ = 0;
};

// Nanoseconds for each unit of the work.
struct Figure {
  double wall = 0;
  double cpu = 0;  // of the serving thread
};

constexpr size_t kMessage = 64;
using Fds = std::vector<int>;

// --- Echo: each server handles `messages` of them over `fds` ---------------

void Epoll(const Fds& fds, uint64_t messages) {
  const int epoll = epoll_create1(0);
  for (size_t i = 0; i < fds.size(); ++i) {
    epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {.u64 = i}};
    Check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) == 0, "epoll_ctl");
  }
  char bytes[kMessage];
  while (messages > 0) {
    epoll_event events[256];
    const int n = epoll_wait(epoll, events, 256, -1);
    for (int i = 0; i < n; ++i) {
      const int fd = fds[events[i].data.u64];
      while (read(fd, bytes, sizeof(bytes)) > 0) {
        Check(write(fd, bytes, sizeof(bytes)) > 0, "write");
        --messages;
      }
    }
  }
  close(epoll);
}

void RingReadiness(const Fds& fds, uint64_t messages) {
  Ring ring;
  for (size_t i = 0; i < fds.size(); ++i) {
    io_uring_sqe& sqe = ring.Next(IORING_OP_POLL_ADD, fds[i], i);
    sqe.poll32_events = POLLIN;
    sqe.len = IORING_POLL_ADD_MULTI;
  }
  char bytes[kMessage];
  while (messages > 0) {
    ring.Wait([&](const io_uring_cqe& c) {
      const int fd = fds[c.user_data];
      while (read(fd, bytes, sizeof(bytes)) > 0) {
        Check(write(fd, bytes, sizeof(bytes)) > 0, "write");
        --messages;
      }
    });
  }
}

template <bool kRingWrites>
void RingReads(const Fds& fds, uint64_t messages) {
  Ring ring;
  std::vector<char> bytes(fds.size() * kMessage);
  const auto read_from = [&](uint64_t i) {
    ring.Transfer(IORING_OP_READ, fds[i], &bytes[i * kMessage], kMessage, i);
  };
  constexpr uint64_t kWrite = 1u << 31;
  for (size_t i = 0; i < fds.size(); ++i) read_from(i);
  while (messages > 0) {
    ring.Wait([&](const io_uring_cqe& c) {
      Check(c.res == kMessage, "echo");
      const uint64_t i = c.user_data & ~kWrite;
      if (kRingWrites && (c.user_data & kWrite) == 0) {
        ring.Transfer(IORING_OP_WRITE, fds[i], &bytes[i * kMessage], kMessage,
                      i | kWrite);
        return;
      }
      if (!kRingWrites) {
        Check(write(fds[i], &bytes[i * kMessage], kMessage) > 0, "write");
      }
      --messages;
      read_from(i);
    });
  }
}

template <bool kMultishot, bool kRingWrites>
void RingProvided(const Fds& fds, uint64_t messages) {
  Ring ring;
  Provided buffers(ring, 256, 2048);
  const auto receive_from = [&](uint64_t i) {
    io_uring_sqe& sqe = ring.Next(IORING_OP_RECV, fds[i], i);
    sqe.flags = IOSQE_BUFFER_SELECT;
    if (kMultishot) sqe.ioprio = IORING_RECV_MULTISHOT;
  };
  constexpr uint64_t kWrite = 1u << 31;
  for (size_t i = 0; i < fds.size(); ++i) receive_from(i);
  while (messages > 0) {
    ring.Wait([&](const io_uring_cqe& c) {
      if ((c.user_data & kWrite) != 0) {
        buffers.Give(static_cast<uint32_t>(c.user_data & ~kWrite));
        --messages;
        return;
      }
      if ((c.flags & IORING_CQE_F_MORE) == 0) receive_from(c.user_data);
      if (c.res == -ENOBUFS) return;
      Check(c.res == kMessage, "echo");
      const uint32_t id = Provided::Of(c);
      const int fd = fds[c.user_data];
      if (kRingWrites) {
        ring.Transfer(IORING_OP_WRITE, fd, buffers.At(id), kMessage,
                      id | kWrite);
        return;
      }
      Check(write(fd, buffers.At(id), kMessage) > 0, "write");
      buffers.Give(id);
      --messages;
    });
  }
}

using Server = std::function<void(const Fds&, uint64_t)>;

Figure Echo(const Server& server, int sockets, int rounds) {
  Fds ours;
  Fds theirs;
  for (int i = 0; i < sockets; ++i) {
    int fds[2];
    Check(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    ours.push_back(fds[0]);
    theirs.push_back(fds[1]);
  }
  const uint64_t messages = uint64_t{1} * sockets * rounds;
  std::thread serving([&] {
    PinTo(0);
    server(ours, messages);
    TakeCpuTime();
  });
  const auto start = std::chrono::steady_clock::now();
  char bytes[kMessage] = {};
  for (int round = 0; round < rounds; ++round) {
    for (const int fd : theirs) Check(write(fd, bytes, kMessage) > 0, "write");
    for (const int fd : theirs) Check(read(fd, bytes, kMessage) > 0, "read");
  }
  const std::chrono::duration<double, std::nano> took =
      std::chrono::steady_clock::now() - start;
  serving.join();
  for (const Fds& fds : {ours, theirs}) {
    for (const int fd : fds) close(fd);
  }
  return {took.count() / messages, cpu_ns / messages};
}

// --- 64 KiB reads of a pipe ------------------------------------------------

constexpr size_t kBlock = 64 << 10;

void PipeEpoll(const Fds& fds, uint64_t left) {
  const int epoll = epoll_create1(0);
  epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {}};
  Check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0, "epoll_ctl");
  std::vector<char> bytes(kBlock);
  while (left > 0) {
    const ssize_t n = read(fds[0], bytes.data(), kBlock);
    if (n < 0) {
      epoll_wait(epoll, &event, 1, -1);
    } else {
      left -= n;
    }
  }
  close(epoll);
}

void PipeRingReads(const Fds& fds, uint64_t left) {
  Ring ring;
  std::vector<char> bytes(kBlock);
  while (left > 0) {
    ring.Transfer(IORING_OP_READ, fds[0], bytes.data(), kBlock, 0);
    ring.Wait([&](const io_uring_cqe& c) {
      Check(c.res > 0, "read");
      left -= c.res;
    });
  }
}

void PipeRingMultishot(const Fds& fds, uint64_t left) {
  Ring ring;
  Provided buffers(ring, 16, kBlock);
  const auto arm = [&] {
    io_uring_sqe& sqe = ring.Next(kReadMultishot, fds[0], 0);
    sqe.flags = IOSQE_BUFFER_SELECT;
    sqe.off = ~uint64_t{0};
  };
  arm();
  while (left > 0) {
    ring.Wait([&](const io_uring_cqe& c) {
      if (c.res > 0) {
        left -= c.res;
        buffers.Give(Provided::Of(c));
      }
      if ((c.flags & IORING_CQE_F_MORE) == 0) arm();
    });
  }
}

Figure PipeReads(const Server& server, int blocks) {
  int fds[2];
  Check(pipe2(fds, 0) == 0, "pipe");
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  const auto start = std::chrono::steady_clock::now();
  std::thread reading([&] {
    PinTo(0);
    server({fds[0]}, blocks * kBlock);
    TakeCpuTime();
  });
  const std::vector<char> bytes(kBlock);
  for (int i = 0; i < blocks; ++i) {
    Check(write(fds[1], bytes.data(), kBlock) == ssize_t{kBlock}, "write");
  }
  reading.join();
  const std::chrono::duration<double, std::nano> took =
      std::chrono::steady_clock::now() - start;
  close(fds[0]);
  close(fds[1]);
  return {took.count() / blocks, cpu_ns / blocks};
}

// --- Accepting bursts ------------------------------------------------------

void AcceptEpoll(const Fds& fds, uint64_t left) {
  const int epoll = epoll_create1(0);
  epoll_event event = {.events = EPOLLIN | EPOLLET, .data = {}};
  Check(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0, "epoll_ctl");
  while (left > 0) {
    const int fd = accept4(fds[0], nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      epoll_wait(epoll, &event, 1, -1);
    } else {
      close(fd);
      --left;
    }
  }
  close(epoll);
}

template <bool kMultishot>
void AcceptRing(const Fds& fds, uint64_t left) {
  Ring ring;
  const auto arm = [&] {
    io_uring_sqe& sqe = ring.Next(IORING_OP_ACCEPT, fds[0], 0);
    sqe.accept_flags = SOCK_CLOEXEC;
    if (kMultishot) sqe.ioprio = IORING_ACCEPT_MULTISHOT;
  };
  arm();
  while (left > 0) {
    ring.Wait([&](const io_uring_cqe& c) {
      Check(c.res >= 0, "accept");
      close(c.res);
      --left;
      if ((c.flags & IORING_CQE_F_MORE) == 0) arm();
    });
  }
}

Figure Accepts(const Server& server, int rounds) {
  constexpr int kBurst = 32;
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string name = "trolley-bench-" + std::to_string(getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const socklen_t size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
  const auto* const to = reinterpret_cast<const sockaddr*>(&address);
  Check(bind(listener, to, size) == 0, "bind");
  Check(listen(listener, 2 * kBurst) == 0, "listen");
  std::thread accepting([&] {
    PinTo(0);
    server({listener}, uint64_t{kBurst} * rounds);
    TakeCpuTime();
  });
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round) {
    int clients[kBurst];
    for (int& client : clients) {
      client = socket(AF_UNIX, SOCK_STREAM, 0);
      Check(connect(client, to, size) == 0, "connect");
    }
    char byte = 0;
    for (const int client : clients) {
      Check(read(client, &byte, 1) == 0, "end");
      close(client);
    }
  }
  const std::chrono::duration<double, std::nano> took =
      std::chrono::steady_clock::now() - start;
  accepting.join();
  close(listener);
  return {took.count() / (kBurst * rounds), cpu_ns / (kBurst * rounds)};
}

// --- Wakes: round trips between two loops that sleep in their rings ---------

enum class Wake { kEventfd, kRingMessage, kRingMessageCall };

Figure Wakes(Wake how, int rounds) {
  std::atomic<int> rings[2] = {-1, -1};
  const int events[2] = {eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK)};
  const auto run = [&](int me) {
    PinTo(me);
    Ring ring;
    rings[me] = ring.fd;
    if (how == Wake::kEventfd) {
      io_uring_sqe& sqe = ring.Next(IORING_OP_POLL_ADD, events[me], 1);
      sqe.poll32_events = POLLIN;
      sqe.len = IORING_POLL_ADD_MULTI | 0u;
      ring.ring->Enter(false, nullptr);
    }
    while (rings[1 - me] < 0) std::this_thread::yield();
    const auto wake = [&] {
      if (how == Wake::kEventfd) {
        const uint64_t one = 1;
        Check(write(events[1 - me], &one, sizeof(one)) > 0, "wake");
        return;
      }
      io_uring_sqe own = {};
      io_uring_sqe& sqe =
          how == Wake::kRingMessage ? ring.Next(IORING_OP_MSG_RING, 0, 2) : own;
      sqe.opcode = IORING_OP_MSG_RING;
      sqe.fd = rings[1 - me];
      sqe.off = 1;                            // the other's user_data
      if (how == Wake::kRingMessage) return;  // goes with the wait
      const int done =
          RealSys().IoUringRegister(-1, kRegisterSendMsgRing, &own, 1);
      Check(done >= 0, "SEND_MSG_RING");
    };
    const auto wait = [&] {
      for (bool woken = false; !woken;) {
        ring.Wait(
            [&](const io_uring_cqe& c) { woken = woken || c.user_data == 1; });
      }
    };
    for (int i = 0; i < rounds; ++i) {
      if (me == 0) wake();
      wait();
      if (me == 1) wake();
    }
    if (me == 1) ring.ring->Enter(false, nullptr);  // the last one, too
    if (me == 0) TakeCpuTime();
    rings[me] = -2;
    while (rings[1 - me] != -2) std::this_thread::yield();
  };
  const auto start = std::chrono::steady_clock::now();
  std::thread other([&] { run(1); });
  std::thread one([&] { run(0); });
  one.join();
  other.join();
  const std::chrono::duration<double, std::nano> took =
      std::chrono::steady_clock::now() - start;
  for (const int fd : events) close(fd);
  return {took.count() / rounds, cpu_ns / rounds};
}

// Whether this kernel's io_uring knows an operation. Flags are not told: those
// of multishot receives are as old as SEND_ZC.
bool Has(int operation) {
  Ring ring;
  constexpr int kOperations = 64;
  alignas(
      io_uring_probe) char space[sizeof(io_uring_probe) +
                                 kOperations * sizeof(io_uring_probe_op)] = {};
  auto* const probe = reinterpret_cast<io_uring_probe*>(space);
  return ring.sys.IoUringRegister(ring.fd, IORING_REGISTER_PROBE, probe,
                                  kOperations) == 0 &&
         operation <= probe->last_op &&
         (probe->ops[operation].flags & IO_URING_OP_SUPPORTED) != 0;
}

struct Case {
  std::string work;
  std::string who;
  std::function<Figure()> run;
};

int Main(int scale, int repetitions, const std::string& filter) {
  PinTo(1);
  // Of no ring: -EBADF where the kernel does not know the request.
  const bool message_calls =
      RealSys().IoUringRegister(-1, kRegisterSendMsgRing, nullptr, 0) != -EBADF;
  const auto possible = [=, multishot = Has(IORING_OP_SEND_ZC),
                         read_multishot = Has(kReadMultishot),
                         messages = Has(IORING_OP_MSG_RING)](const Case& c) {
    const auto says = [&c](const char* text) {
      return c.who.find(text) != std::string::npos;
    };
    if (says("call of its own")) return message_calls;
    if (says("message")) return messages;
    if (says("provided") && c.work.find("pipe") == 0) return read_multishot;
    return multishot || !(says("provided") || says("multishot accept"));
  };
  std::vector<Case> cases;
  const std::vector<std::pair<const char*, Server>> echoes = {
      {"epoll, edges", Epoll},
      {"ring, readiness", RingReadiness},
      {"ring, single reads, direct writes", RingReads<false>},
      {"ring, single reads, ring writes", RingReads<true>},
      {"ring, single provided, ring writes", RingProvided<false, true>},
      {"ring, multishot provided, direct writes", RingProvided<true, false>},
      {"ring, multishot provided, ring writes", RingProvided<true, true>},
  };
  for (const int sockets : {1, 100}) {
    for (const auto& [who, server] : echoes) {
      cases.push_back({"echo of 64 B, sockets: " + std::to_string(sockets), who,
                       [=, server = server] {
                         return Echo(server, sockets,
                                     std::max(1, 200 * scale / sockets));
                       }});
    }
  }
  const std::vector<std::pair<const char*, Server>> pipes = {
      {"epoll, edges", PipeEpoll},
      {"ring, single reads", PipeRingReads},
      {"ring, multishot provided", PipeRingMultishot},
  };
  for (const auto& [who, server] : pipes) {
    cases.push_back({"pipe, 64 KiB blocks", who, [=, server = server] {
                       return PipeReads(server, 50 * scale);
                     }});
  }
  const std::vector<std::pair<const char*, Server>> accepts = {
      {"epoll, edges", AcceptEpoll},
      {"ring, single accepts", AcceptRing<false>},
      {"ring, multishot accept", AcceptRing<true>},
  };
  for (const auto& [who, server] : accepts) {
    cases.push_back({"accepts in bursts of 32", who,
                     [=, server = server] { return Accepts(server, scale); }});
  }
  const std::vector<std::pair<const char*, Wake>> wakes = {
      {"eventfd, multishot poll", Wake::kEventfd},
      {"ring message, with the wait", Wake::kRingMessage},
      {"ring message, by a call of its own", Wake::kRingMessageCall},
  };
  for (const auto& [who, how] : wakes) {
    cases.push_back({"two wakes there and back", who,
                     [=, how = how] { return Wakes(how, 20 * scale); }});
  }
  std::map<size_t, std::vector<Figure>> all;
  for (int i = 0; i < repetitions; ++i) {
    for (size_t c = 0; c < cases.size(); ++c) {
      if (cases[c].work.find(filter) == std::string::npos) continue;
      if (!possible(cases[c])) {
        if (i == 0)
          std::printf("left out: this kernel has no %s\n",
                      cases[c].who.c_str());
        continue;
      }
      std::fprintf(stderr, "%s\r", cases[c].who.c_str());
      all[c].push_back(cases[c].run());
    }
  }
  std::string work;
  for (auto& [c, figures] : all) {
    if (cases[c].work != work) {
      work = cases[c].work;
      std::printf("%s: ns of the server's CPU, and of time\n", work.c_str());
    }
    std::printf("  %-40s", cases[c].who.c_str());
    for (double Figure::*part : {&Figure::cpu, &Figure::wall}) {
      std::sort(figures.begin(), figures.end(),
                [part](const Figure& a, const Figure& b) {
                  return a.*part < b.*part;
                });
      std::printf("  %7.0f (%.0f to %.0f)", figures[figures.size() / 2].*part,
                  figures.front().*part, figures.back().*part);
    }
    std::printf("\n");
  }
  return 0;
}

}  // namespace
}  // namespace trolley::internal

int main(int argc, char** argv) {
  // --quick shows that it works; a number scales the work, its default is 50;
  // text chooses the works whose names have it.
  int scale = 50;
  int repetitions = 5;
  std::string filter;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      scale = repetitions = 1;
    } else if (std::atoi(argv[i]) > 0) {
      scale = std::atoi(argv[i]);
    } else {
      filter = argv[i];
    }
  }
  return trolley::internal::Main(scale, repetitions, filter);
}
