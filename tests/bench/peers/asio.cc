// SPDX-License-Identifier: Apache-2.0
//
// Asio: a message is a handler that is posted. Each context has one thread and
// says so, which spares it locks where it can; alone, it does without any.

#include <asio.hpp>

#include "tests/bench/peers/loop_workloads.h"

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

}  // namespace
}  // namespace trolley::bench

int main(int argc, char** argv) {
  trolley::bench::Bench bench;
  trolley::bench::AddLoopWorkloads<trolley::bench::AsioLoop>(bench);
  return bench.Main(argc, argv);
}
