// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/server_streams.h"

#include <string>

#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"

// Stands in for a message that protoc makes.
struct Line {
  struct Descriptor {
    std::string full_name() const { return "embed.Line"; }
  };
  static const Descriptor* descriptor() {
    static constexpr Descriptor kDescriptor;
    return &kDescriptor;
  }
  bool ParseFromArray(const void*, int) { return true; }
  bool SerializeToString(std::string* to) const {
    to->clear();
    return true;
  }
  size_t ByteSizeLong() const { return 0; }
};

class Echo : public trolley::Actor {
 public:
  using Chat = trolley::BidiStreaming<Line, Line>;
  using Receives = trolley::Protocol<Chat>;
  trolley::Task<absl::Status> On(Chat call) {
    for (;;) {
      absl::StatusOr<std::optional<Line>> line = co_await call.Read();
      if (!line.ok()) co_return line.status();
      if (!line->has_value()) co_return absl::OkStatus();
      absl::Status sent = co_await call.Write(**line);
      if (!sent.ok()) co_return sent;
    }
  }
};

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  return bus.Spawn<Echo>({.name = "echo"}).ok() ? 0 : 1;
}
