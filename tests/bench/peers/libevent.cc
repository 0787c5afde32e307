// SPDX-License-Identifier: Apache-2.0
//
// libevent: an inbox, and event_active() to wake the thread that sleeps. Timers
// are in its heap; common timeouts would need equal durations.

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

#include "tests/bench/peers/inbox.h"
#include "tests/bench/peers/loop_workloads.h"
#include "trolley/tests/bench/lib/pipes.h"

namespace trolley::bench {
namespace {

class LibeventLoop {
 public:
  static std::string Name() {
    std::string version = event_get_version();
    return "libevent-" + version.substr(0, version.find('-'));
  }

  explicit LibeventLoop(bool) : base_(NewBase()) {
    wake_ = event_new(
        base_, -1, EV_PERSIST,
        [](evutil_socket_t, short, void* self) {
          static_cast<LibeventLoop*>(self)->Woken();
        },
        this);
    event_add(wake_, nullptr);
  }
  ~LibeventLoop() {
    event_free(wake_);
    event_base_free(base_);
  }

  void Post(Receiver* to, uint64_t value) {
    if (inbox_.Push(to, value)) event_active(wake_, 0, 0);
  }
  void PostHere(Receiver* to, uint64_t value) { Post(to, value); }

  void Run(bool spin) {
    if (!spin) {
      event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY);
      return;
    }
    while (!stopped_) {
      for (int i = 0; i < 64 && !stopped_; ++i, Pause()) {
        if (inbox_.HasSome()) inbox_.Drain();
      }
      event_base_loop(base_, EVLOOP_NONBLOCK);
    }
  }
  void Stop() {
    stopped_ = true;
    event_base_loopbreak(base_);
  }

  class Timers {
   public:
    Timers(LibeventLoop& loop, uint64_t count) : timers_(count) {
      for (event& timer : timers_) {
        event_assign(
            &timer, loop.base_, -1, 0,
            [](evutil_socket_t, short, void*) { Die("a timer fired early"); },
            nullptr);
      }
    }
    ~Timers() {
      for (event& timer : timers_) event_del(&timer);
    }
    void Set(uint64_t i, int64_t milliseconds) {
      const timeval after = {milliseconds / 1000, milliseconds % 1000 * 1000};
      event_add(&timers_[i], &after);
    }
    void Cancel(uint64_t i) { event_del(&timers_[i]); }

   private:
    std::vector<event> timers_;
  };

 private:
  static event_base* NewBase() {
    static const bool threads = evthread_use_pthreads() == 0;
    if (!threads) Die("evthread_use_pthreads failed");
    event_base* base = event_base_new();
    if (base == nullptr) Die("event_base_new failed");
    return base;
  }
  void Woken() {
    if (inbox_.Drain()) event_active(wake_, 0, 0);
  }

  event_base* const base_;
  event* wake_ = nullptr;
  Inbox inbox_;
  bool stopped_ = false;
};

// With edges where it has them, and without locks.
class LibeventPipes {
 public:
  LibeventPipes(Pipes& pipes, std::string method)
      : pipes_(pipes), watchers_(pipes.size()) {
    event_config* config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    for (const char** name = event_get_supported_methods(); *name; ++name) {
      if (method != *name) event_config_avoid_method(config, *name);
    }
    base_ = event_base_new_with_config(config);
    event_config_free(config);
    if (base_ == nullptr) Die("libevent has no " + method);
    const bool edges = (event_base_get_features(base_) & EV_FEATURE_ET) != 0;
    for (int i = 0; i < pipes.size(); ++i) {
      watchers_[i].self = this;
      watchers_[i].pipe = i;
      event_assign(
          &watchers_[i].event, base_, pipes.fd(i),
          static_cast<short>(EV_READ | EV_PERSIST | (edges ? EV_ET : 0)),
          [](evutil_socket_t, short, void* at) {
            auto* watcher = static_cast<Watcher*>(at);
            watcher->self->pipes_.Forward(watcher->pipe);
            if (watcher->self->pipes_.done()) {
              event_base_loopbreak(watcher->self->base_);
            }
          },
          &watchers_[i]);
    }
  }
  ~LibeventPipes() { event_base_free(base_); }
  void Add(int i) { event_add(&watchers_[i].event, nullptr); }
  void Remove(int i) { event_del(&watchers_[i].event); }
  void Run() {
    while (!pipes_.done()) event_base_loop(base_, 0);
  }
  void Look() { event_base_loop(base_, EVLOOP_NONBLOCK); }

 private:
  struct Watcher {
    struct event event;
    LibeventPipes* self;
    int pipe;
  };
  Pipes& pipes_;
  event_base* base_;
  std::vector<Watcher> watchers_;
};

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  AddLoopWorkloads<LibeventLoop>(bench);
  const std::string who = LibeventLoop::Name();
  AddPipes<LibeventPipes>(bench, "epoll", WaitCost::kConstant, 10'000, who,
                          std::string("epoll"));
  AddPipes<LibeventPipes>(bench, "poll", WaitCost::kScans, 10'000, who,
                          std::string("poll"));
  AddPipes<LibeventPipes>(bench, "select", WaitCost::kScans, 1000, who,
                          std::string("select"));
  return bench.Main(argc, argv);
}
