// SPDX-License-Identifier: Apache-2.0
//
// The system calls that pollers use, in bare loops: no wake, no deadline, no
// tokens that tell the owners of a descriptor number apart. For benchmarks
// only.
//
// Ownership: the case that measures one owns it; borrows the pipes.
// Threads:   one, that of the case.
// Bounds:    the pipes.
// Ends:      with the case, before the pipes.

#ifndef TROLLEY_TESTS_BENCH_POLLER_RAW_POLLERS_H_
#define TROLLEY_TESTS_BENCH_POLLER_RAW_POLLERS_H_

#include <liburing.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "trolley/tests/bench/lib/pipes.h"

namespace trolley::bench {

// As many as a loop of ours takes at a time.
inline constexpr int kEventsPerWait = 256;

class RawEpoll {
 public:
  RawEpoll(Pipes& pipes, bool edge)
      : pipes_(pipes),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        interest_(edge ? EPOLLIN | EPOLLET : EPOLLIN) {}
  ~RawEpoll() { close(epoll_); }
  void Add(int i) {
    epoll_event event = {};
    event.events = interest_;
    event.data.u32 = static_cast<uint32_t>(i);
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, pipes_.fd(i), &event) != 0) {
      Die("EPOLL_CTL_ADD failed");
    }
  }
  void Remove(int i) {
    if (epoll_ctl(epoll_, EPOLL_CTL_DEL, pipes_.fd(i), nullptr) != 0) {
      Die("EPOLL_CTL_DEL failed");
    }
  }
  void Run() {
    while (!pipes_.done()) Wait(-1);
  }
  void Look() { Wait(0); }

 private:
  void Wait(int timeout) {
    const int ready = epoll_wait(epoll_, events_, kEventsPerWait, timeout);
    for (int e = 0; e < ready; ++e) {
      pipes_.Forward(static_cast<int>(events_[e].data.u32));
    }
  }

  Pipes& pipes_;
  const int epoll_;
  const uint32_t interest_;
  epoll_event events_[kEventsPerWait];
};

// The descriptors watched, without gaps: what poll() and sweeps need.
class Watched {
 public:
  explicit Watched(Pipes& pipes) : pipes_(pipes), at_(pipes.size()) {}
  void Add(int i) {
    at_[i] = items_.size();
    items_.push_back({.fd = pipes_.fd(i), .events = POLLIN, .revents = 0});
    pipe_.push_back(i);
  }
  void Remove(int i) {
    const size_t gap = at_[i];
    items_[gap] = items_.back();
    pipe_[gap] = pipe_.back();
    at_[pipe_[gap]] = gap;
    items_.pop_back();
    pipe_.pop_back();
  }

 protected:
  Pipes& pipes_;
  std::vector<pollfd> items_;
  std::vector<int> pipe_;  // of each item

 private:
  std::vector<size_t> at_;  // of each pipe
};

class RawPoll : public Watched {
 public:
  using Watched::Watched;
  void Run() {
    while (!pipes_.done()) Wait(-1);
  }
  void Look() { Wait(0); }

 private:
  void Wait(int timeout) {
    int ready = poll(items_.data(), items_.size(), timeout);
    for (size_t item = 0; ready > 0 && item < items_.size(); ++item) {
      if (items_[item].revents == 0) continue;
      --ready;
      pipes_.Forward(pipe_[item]);
    }
  }
};

// A read of each, ready or not.
class RawSweep : public Watched {
 public:
  using Watched::Watched;
  void Run() {
    while (!pipes_.done()) Look();
  }
  void Look() {
    for (int pipe : pipe_) pipes_.Forward(pipe);
  }
};

class RawSelect {
 public:
  explicit RawSelect(Pipes& pipes) : pipes_(pipes), of_fd_(FD_SETSIZE, -1) {
    FD_ZERO(&watched_);
  }
  void Add(int i) {
    const int fd = pipes_.fd(i);
    FD_SET(fd, &watched_);
    of_fd_[fd] = i;
    highest_ = std::max(highest_, fd);
  }
  void Remove(int i) {
    FD_CLR(pipes_.fd(i), &watched_);
    while (highest_ >= 0 && !FD_ISSET(highest_, &watched_)) --highest_;
  }
  void Run() {
    while (!pipes_.done()) Wait(nullptr);
  }
  void Look() {
    timeval none = {0, 0};
    Wait(&none);
  }

 private:
  void Wait(timeval* timeout) {
    fd_set ready = watched_;
    int left = select(highest_ + 1, &ready, nullptr, nullptr, timeout);
    for (int fd = 0; left > 0 && fd <= highest_; ++fd) {
      if (!FD_ISSET(fd, &ready)) continue;
      --left;
      pipes_.Forward(of_fd_[fd]);
    }
  }

  Pipes& pipes_;
  std::vector<int> of_fd_;
  fd_set watched_;
  int highest_ = -1;
};

// Poll requests that stay, and completions that are taken when asked for.
class RawUring {
 public:
  explicit RawUring(Pipes& pipes) : pipes_(pipes) {
    io_uring_params params = {};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_CQSIZE;
    params.cq_entries = 4096;
    if (io_uring_queue_init_params(512, &ring_, &params) != 0) {
      Die("io_uring_queue_init failed");
    }
  }
  ~RawUring() { io_uring_queue_exit(&ring_); }
  void Add(int i) {
    io_uring_sqe* sqe = Sqe();
    io_uring_prep_poll_multishot(sqe, pipes_.fd(i), POLLIN);
    io_uring_sqe_set_data64(sqe, static_cast<uint64_t>(i) + 1);
  }
  void Remove(int i) {
    io_uring_sqe* sqe = Sqe();
    io_uring_prep_poll_remove(sqe, static_cast<uint64_t>(i) + 1);
    io_uring_sqe_set_data64(sqe, 0);
  }
  void Run() {
    while (!pipes_.done()) {
      io_uring_submit_and_wait(&ring_, 1);
      Take();
    }
  }
  void Look() {
    io_uring_submit_and_get_events(&ring_);
    Take();
  }

 private:
  io_uring_sqe* Sqe() {
    while (true) {
      if (io_uring_sqe* sqe = io_uring_get_sqe(&ring_)) return sqe;
      io_uring_submit_and_get_events(&ring_);
      Take();
    }
  }
  void Take() {
    io_uring_cqe* cqes[kEventsPerWait];
    while (const unsigned got =
               io_uring_peek_batch_cqe(&ring_, cqes, kEventsPerWait)) {
      for (unsigned c = 0; c < got; ++c) {
        const auto data = io_uring_cqe_get_data64(cqes[c]);
        if (data == 0 || cqes[c]->res < 0) continue;
        pipes_.Forward(static_cast<int>(data - 1));
        if ((cqes[c]->flags & IORING_CQE_F_MORE) == 0) {
          again_.push_back(static_cast<int>(data - 1));
        }
      }
      io_uring_cq_advance(&ring_, got);
    }
    for (int i : std::exchange(again_, {})) Add(i);
  }

  Pipes& pipes_;
  io_uring ring_;
  std::vector<int> again_;
};

}  // namespace trolley::bench

#endif  // TROLLEY_TESTS_BENCH_POLLER_RAW_POLLERS_H_
