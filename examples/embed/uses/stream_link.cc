// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/stream_link.h"

#include <memory>
#include <string>

#include "trolley/actors/bus.h"
#include "trolley/actors/link/dialer.h"
#include "trolley/actors/link/link_socket.h"

namespace {

class NoDialer : public trolley::Dialer {
 public:
  const std::string& endpoint() const override { return endpoint_; }
  trolley::Task<absl::StatusOr<trolley::LinkSocket>> Dial(
      trolley::ActorContext) override {
    co_return absl::UnavailableError("no line");
  }

 private:
  const std::string endpoint_ = "nowhere";
};

}  // namespace

int main() {
  trolley::Bus bus = trolley::Bus::CreateOrDie({});
  auto link = bus.Spawn<trolley::StreamLink>({}, std::make_unique<NoDialer>());
  return link.ok() ? 0 : 1;
}
