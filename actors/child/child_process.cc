// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/child/child_process.h"

#include "absl/status/statusor.h"
#include "trolley/actors/child/internal/child_keeper.h"
#include "trolley/actors/child/internal/child_parts.h"
#include "trolley/actors/child/internal/child_port.h"
#include "trolley/actors/child/internal/spawn_verb.h"

namespace trolley {
namespace {

using internal::ChildKeeper;
using internal::ChildParts;
using internal::ChildPort;
using internal::SpawnVerb;

// The keeper gets one message: its own.
constexpr uint32_t kKeepersMailbox = 1;

// Keeps the port, also when the ChildProcess has gone.
Task<absl::Status> AddWhenRoom(std::shared_ptr<ChildPort> port,
                               std::string piece) {
  if (port == nullptr) {
    co_return absl::NotFoundError("no child process was started");
  }
  co_return co_await port->input.AddWhenRoom(std::move(piece));
}

}  // namespace

ChildProcess::ChildProcess() = default;

ChildProcess::~ChildProcess() {
  if (port_ == nullptr) return;
  port_->forgotten = true;
  if (port_->sending != nullptr) port_->sending->GiveUp();
  Stop();
}

absl::Status ChildProcess::Begin(Actor& owner,
                                 Receiver (*receiver)(const Address&),
                                 ChildProcessOptions options) {
  if (running()) {
    return absl::FailedPreconditionError(
        "this ChildProcess runs a process; wait for its ChildEnd");
  }
  absl::Status valid = ValidateChildProcessOptions(options);
  if (!valid.ok()) return valid;
  absl::StatusOr<ChildParts> parts =
      internal::StartChild(SpawnVerb::ContextOf(owner).sys(), options);
  if (!parts.ok()) return parts.status();
  auto port = std::make_shared<ChildPort>(options);
  port->pid = parts->process.pid();
  const auto keeper = SpawnVerb::SpawnFor<ChildKeeper>(
      owner, {.mailbox_capacity = kKeepersMailbox}, port, *std::move(parts),
      receiver(SpawnVerb::AddressOf(owner)), options);
  if (!keeper.ok()) return keeper.status();
  port->keeper = keeper->id();
  port_ = std::move(port);
  return absl::OkStatus();
}

Delivery ChildProcess::Write(absl::string_view piece) {
  return port_ == nullptr ? Delivery::kGone : port_->input.Add(piece);
}

Task<absl::Status> ChildProcess::WriteWhenRoom(std::string piece) {
  return AddWhenRoom(port_, std::move(piece));
}

void ChildProcess::CloseInput() {
  if (port_ != nullptr) port_->input.Close();
}

void ChildProcess::Stop() {
  if (!running()) return;
  port_->stop = true;
  port_->changed.Notify();
}

void ChildProcess::Kill() {
  if (!running()) return;
  port_->kill = true;
  port_->changed.Notify();
}

bool ChildProcess::running() const { return port_ != nullptr && !port_->ended; }

pid_t ChildProcess::pid() const { return port_ != nullptr ? port_->pid : 0; }

ActorId ChildProcess::id() const {
  return port_ != nullptr ? port_->keeper : ActorId();
}

size_t ChildProcess::waiting_bytes() const {
  return port_ != nullptr ? port_->input.waiting() : 0;
}

}  // namespace trolley
