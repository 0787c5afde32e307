// SPDX-License-Identifier: Apache-2.0
//
// libev: an inbox, and ev_async_send() to wake the thread that sleeps.

#include <ev.h>

#include "tests/bench/peers/inbox.h"
#include "tests/bench/peers/loop_workloads.h"
#include "trolley/tests/bench/lib/pipes.h"

namespace trolley::bench {
namespace {

class EvLoop {
 public:
  static std::string Name() {
    return "libev-" + std::to_string(ev_version_major()) + "." +
           std::to_string(ev_version_minor());
  }

  explicit EvLoop(bool) : loop_(ev_loop_new(EVFLAG_AUTO)) {
    if (loop_ == nullptr) Die("ev_loop_new failed");
    ev_async_init(&wake_, [](struct ev_loop*, ev_async* wake, int) {
      auto* self = static_cast<EvLoop*>(wake->data);
      if (self->inbox_.Drain()) ev_async_send(self->loop_, wake);
    });
    wake_.data = this;
    ev_async_start(loop_, &wake_);
  }
  ~EvLoop() {
    ev_async_stop(loop_, &wake_);
    ev_loop_destroy(loop_);
  }

  void Post(Receiver* to, uint64_t value) {
    if (inbox_.Push(to, value)) ev_async_send(loop_, &wake_);
  }
  void PostHere(Receiver* to, uint64_t value) { Post(to, value); }

  void Run(bool spin) {
    if (!spin) {
      ev_run(loop_, 0);
      return;
    }
    while (!stopped_) {
      for (int i = 0; i < 64 && !stopped_; ++i, Pause()) {
        if (inbox_.HasSome()) inbox_.Drain();
      }
      ev_run(loop_, EVRUN_NOWAIT);
    }
  }
  void Stop() {
    stopped_ = true;
    ev_break(loop_, EVBREAK_ALL);
  }

  class Timers {
   public:
    Timers(EvLoop& loop, uint64_t count) : loop_(loop.loop_), timers_(count) {
      for (ev_timer& timer : timers_) {
        ev_timer_init(
            &timer,
            [](struct ev_loop*, ev_timer*, int) { Die("a timer fired early"); },
            0, 0);
      }
    }
    ~Timers() {
      for (ev_timer& timer : timers_) ev_timer_stop(loop_, &timer);
    }
    void Set(uint64_t i, int64_t milliseconds) {
      ev_timer_set(&timers_[i], 1e-3 * static_cast<double>(milliseconds), 0);
      ev_timer_start(loop_, &timers_[i]);
    }
    void Cancel(uint64_t i) { ev_timer_stop(loop_, &timers_[i]); }

   private:
    struct ev_loop* const loop_;
    std::vector<ev_timer> timers_;
  };

 private:
  struct ev_loop* const loop_;
  ev_async wake_;
  Inbox inbox_;
  bool stopped_ = false;
};

class EvPipes {
 public:
  EvPipes(Pipes& pipes, unsigned backend)
      : pipes_(pipes), loop_(ev_loop_new(backend)), watchers_(pipes.size()) {
    if (loop_ == nullptr) Die("ev_loop_new failed");
    for (int i = 0; i < pipes.size(); ++i) {
      ev_io_init(
          &watchers_[i],
          [](struct ev_loop* loop, ev_io* watcher, int) {
            auto* self = static_cast<EvPipes*>(ev_userdata(loop));
            self->pipes_.Forward(
                static_cast<int>(watcher - self->watchers_.data()));
            if (self->pipes_.done()) ev_break(loop, EVBREAK_ALL);
          },
          pipes.fd(i), EV_READ);
    }
    ev_set_userdata(loop_, this);
  }
  ~EvPipes() { ev_loop_destroy(loop_); }
  void Add(int i) { ev_io_start(loop_, &watchers_[i]); }
  void Remove(int i) { ev_io_stop(loop_, &watchers_[i]); }
  void Run() {
    while (!pipes_.done()) ev_run(loop_, 0);
  }
  void Look() { ev_run(loop_, EVRUN_NOWAIT); }

 private:
  Pipes& pipes_;
  struct ev_loop* const loop_;
  std::vector<ev_io> watchers_;
};

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  AddLoopWorkloads<EvLoop>(bench);
  const std::string who = EvLoop::Name();
  AddPipes<EvPipes>(bench, "epoll", WaitCost::kConstant, 10'000, who,
                    unsigned{EVBACKEND_EPOLL});
  AddPipes<EvPipes>(bench, "poll", WaitCost::kScans, 10'000, who,
                    unsigned{EVBACKEND_POLL});
  AddPipes<EvPipes>(bench, "select", WaitCost::kScans, 1000, who,
                    unsigned{EVBACKEND_SELECT});
  return bench.Main(argc, argv);
}
