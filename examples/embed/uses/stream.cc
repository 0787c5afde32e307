// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/stream.h"

#include <fcntl.h>

#include <utility>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/poller/sys.h"

namespace {

struct ReadOne {};

class Reader : public trolley::Actor {
 public:
  explicit Reader(trolley::ScopedFd fd) : fd_(std::move(fd)) {}

  void OnStart() { stream_.emplace(context(), std::move(fd_)); }

  trolley::Task<absl::StatusOr<size_t>> On(ReadOne) {
    char byte;
    co_return co_await stream_->Read(absl::MakeSpan(&byte, 1));
  }

 private:
  trolley::ScopedFd fd_;
  std::optional<trolley::Stream> stream_;
};

}  // namespace

int main() {
  trolley::Sys& sys = trolley::RealSys();
  int ends[2];
  if (sys.Pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return 1;
  trolley::ScopedFd out(sys, ends[1]);
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  const auto reader = bus.Spawn<Reader>({}, trolley::ScopedFd(sys, ends[0]));
  if (!reader.ok() || sys.Write(out.get(), absl::MakeConstSpan("x", 1)) != 1)
    return 1;
  const auto read = reader->AskAndWait(ReadOne{}, absl::InfiniteDuration());
  return read.ok() && *read == 1 ? 0 : 1;
}
