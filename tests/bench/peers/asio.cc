// SPDX-License-Identifier: Apache-2.0
//
// Asio: a message is a handler that is posted. Each context has one thread and
// says so, which spares it locks where it can; alone, it does without any.

#include <asio.hpp>

#include "tests/bench/peers/loop_workloads.h"
#include "trolley/tests/bench/lib/pipes.h"

namespace trolley::bench {
namespace {

class AsioLoop {
 public:
  static std::string Name() {
    return "asio-" + std::to_string(ASIO_VERSION / 100000) + "." +
           std::to_string(ASIO_VERSION / 100 % 1000) + "." +
           std::to_string(ASIO_VERSION % 100);
  }

  // A hint of 1 allows others to post; the unsafe one spares every lock.
  explicit AsioLoop(bool alone)
      : context_(alone ? ASIO_CONCURRENCY_HINT_UNSAFE : 1),
        work_(context_.get_executor()) {}

  void Post(Receiver* to, uint64_t value) {
    asio::post(context_, [to, value] { to->Hit(value); });
  }
  void PostHere(Receiver* to, uint64_t value) { Post(to, value); }

  void Run(bool spin) {
    if (!spin) {
      context_.run();
      return;
    }
    while (!context_.stopped()) context_.poll();
  }
  void Stop() { context_.stop(); }

  class Timers {
   public:
    Timers(AsioLoop& loop, uint64_t count) {
      timers_.reserve(count);
      for (uint64_t i = 0; i < count; ++i) timers_.emplace_back(loop.context_);
    }
    void Set(uint64_t i, int64_t milliseconds) {
      timers_[i].expires_after(std::chrono::milliseconds(milliseconds));
      timers_[i].async_wait([](const asio::error_code& error) {
        if (!error) Die("a timer fired early");
      });
      // The handlers of cancelled waits are due; running them is part of it.
      if (++set_ % 256 == 0) {
        static_cast<asio::io_context&>(timers_[i].get_executor().context())
            .poll();
      }
    }
    void Cancel(uint64_t i) { timers_[i].cancel(); }

   private:
    std::vector<asio::steady_timer> timers_;
    uint64_t set_ = 0;
  };

 private:
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
};

// Waits for pipes without locks; a wait is asked for again after each event.
class AsioPipes {
 public:
  explicit AsioPipes(Pipes& pipes)
      : pipes_(pipes), context_(ASIO_CONCURRENCY_HINT_UNSAFE) {
    streams_.reserve(pipes.size());
    for (int i = 0; i < pipes.size(); ++i) streams_.emplace_back(context_);
  }
  void Add(int i) {
    streams_[i].assign(pipes_.fd(i));
    Await(i);
  }
  void Remove(int i) { streams_[i].release(); }
  void Run() {
    while (!pipes_.done()) context_.run_one();
  }
  void Look() { context_.poll(); }

 private:
  void Await(int i) {
    streams_[i].async_wait(asio::posix::stream_descriptor::wait_read,
                           [this, i](const asio::error_code& error) {
                             if (error) return;
                             pipes_.Forward(i);
                             Await(i);
                           });
  }

  Pipes& pipes_;
  asio::io_context context_;
  std::vector<asio::posix::stream_descriptor> streams_;
};

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  using namespace trolley::bench;  // NOLINT
  Bench bench;
  AddLoopWorkloads<AsioLoop>(bench);
  AddPipes<AsioPipes>(bench, "epoll", WaitCost::kConstant, 10'000,
                      AsioLoop::Name());
  return bench.Main(argc, argv);
}
