// SPDX-License-Identifier: Apache-2.0
//
// libevent: an inbox, and event_active() for whoever sleeps beside it. Timers
// are in its heap; common timeouts would need equal durations.

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

#include "tests/bench/peers/inbox.h"
#include "tests/bench/peers/loop_workloads.h"

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

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  trolley::bench::Bench bench;
  trolley::bench::AddLoopWorkloads<trolley::bench::LibeventLoop>(bench);
  return bench.Main(argc, argv);
}
