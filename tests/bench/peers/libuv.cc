// SPDX-License-Identifier: Apache-2.0
//
// libuv: an inbox, and uv_async_send() to wake the thread that sleeps.

#include <uv.h>

#include "tests/bench/peers/inbox.h"
#include "tests/bench/peers/loop_workloads.h"
#include "trolley/tests/bench/lib/pipes.h"

namespace trolley::bench {
namespace {

class UvLoop {
 public:
  static std::string Name() {
    return std::string("libuv-") + uv_version_string();
  }

  explicit UvLoop(bool) {
    if (uv_loop_init(&loop_) != 0) Die("uv_loop_init failed");
    uv_async_init(&loop_, &wake_, [](uv_async_t* wake) {
      auto* self = static_cast<UvLoop*>(wake->data);
      if (self->inbox_.Drain()) uv_async_send(wake);
    });
    wake_.data = this;
  }
  ~UvLoop() {
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop_) != 0) Die("uv_loop_close: handles are open");
  }

  void Post(Receiver* to, uint64_t value) {
    if (inbox_.Push(to, value)) uv_async_send(&wake_);
  }
  void PostHere(Receiver* to, uint64_t value) { Post(to, value); }

  void Run(bool spin) {
    if (!spin) {
      uv_run(&loop_, UV_RUN_DEFAULT);
      return;
    }
    while (!stopped_) {
      for (int i = 0; i < 64 && !stopped_; ++i, Pause()) {
        if (inbox_.HasSome()) inbox_.Drain();
      }
      uv_run(&loop_, UV_RUN_NOWAIT);
    }
  }
  void Stop() {
    stopped_ = true;
    uv_stop(&loop_);
  }

  class Timers {
   public:
    Timers(UvLoop& loop, uint64_t count) : loop_(loop), timers_(count) {
      for (uv_timer_t& timer : timers_) uv_timer_init(&loop.loop_, &timer);
    }
    ~Timers() {
      for (uv_timer_t& timer : timers_) {
        uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
      }
      uv_run(&loop_.loop_, UV_RUN_NOWAIT);
    }
    void Set(uint64_t i, int64_t milliseconds) {
      uv_timer_start(
          &timers_[i], [](uv_timer_t*) { Die("a timer fired early"); },
          static_cast<uint64_t>(milliseconds), 0);
    }
    void Cancel(uint64_t i) { uv_timer_stop(&timers_[i]); }

   private:
    UvLoop& loop_;
    std::vector<uv_timer_t> timers_;
  };

 private:
  uv_loop_t loop_;
  uv_async_t wake_;
  Inbox inbox_;
  bool stopped_ = false;
};

class UvPipes {
 public:
  explicit UvPipes(Pipes& pipes) : pipes_(pipes), watchers_(pipes.size()) {
    uv_loop_init(&loop_);
    for (int i = 0; i < pipes.size(); ++i) {
      watchers_[i].self = this;
      watchers_[i].pipe = i;
      if (uv_poll_init(&loop_, &watchers_[i].poll, pipes.fd(i)) != 0) {
        Die("uv_poll_init failed");
      }
      watchers_[i].poll.data = &watchers_[i];
    }
  }
  ~UvPipes() {
    for (Watcher& watcher : watchers_) {
      uv_close(reinterpret_cast<uv_handle_t*>(&watcher.poll), nullptr);
    }
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }
  void Add(int i) {
    uv_poll_start(&watchers_[i].poll, UV_READABLE,
                  [](uv_poll_t* poll, int, int) {
                    auto* watcher = static_cast<Watcher*>(poll->data);
                    watcher->self->pipes_.Forward(watcher->pipe);
                    if (watcher->self->pipes_.done()) uv_stop(poll->loop);
                  });
  }
  void Remove(int i) { uv_poll_stop(&watchers_[i].poll); }
  void Run() {
    while (!pipes_.done()) uv_run(&loop_, UV_RUN_DEFAULT);
  }
  void Look() { uv_run(&loop_, UV_RUN_NOWAIT); }

 private:
  struct Watcher {
    uv_poll_t poll;
    UvPipes* self;
    int pipe;
  };
  Pipes& pipes_;
  uv_loop_t loop_;
  std::vector<Watcher> watchers_;
};

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  AddLoopWorkloads<UvLoop>(bench);
  AddPipes<UvPipes>(bench, "epoll", WaitCost::kConstant, 10'000,
                    UvLoop::Name());
  return bench.Main(argc, argv);
}
