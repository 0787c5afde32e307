// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/grpc_stub.h"

#include "absl/strings/str_cat.h"

namespace trolley {
namespace {

// The most methods that are kept; a count. The search in the descriptors of
// this program is all that a further one costs.
constexpr size_t kMaxMethods = 256;

// In the frame of a handler: an asker that no longer waits ends the call.
struct Canceller {
  internal::StubCall& call;
  ~Canceller() { call.Cancel(); }
};

}  // namespace

GrpcStub::GrpcStub(const Bus& bus, std::shared_ptr<grpc::Channel> channel,
                   const GrpcStubOptions& options)
    : channel_(std::move(channel)),
      options_(options),
      valid_(ValidateGrpcStubOptions(options)),
      calls_(std::make_shared<internal::StubCalls>(bus, channel_)) {}

GrpcStub::~GrpcStub() { calls_->ForgetBus(); }

absl::StatusOr<const internal::StubMethod*> GrpcStub::MethodFor(
    const LinkRoute& route) {
  const std::pair<std::string, std::string> key(route.target, route.type);
  auto found = methods_.find(key);
  if (found == methods_.end()) {
    if (methods_.size() >= kMaxMethods) methods_.clear();
    found =
        methods_
            .emplace(key, internal::FindStubMethod(route.target, route.type))
            .first;
  }
  if (!found->second.ok()) return found->second.status();
  return &*found->second;
}

absl::StatusOr<internal::StubCall::Ptr> GrpcStub::Begin(
    const Method& method, const std::string& bytes, Instant deadline) {
  if (bytes.size() > options_.max_message_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the message has ", bytes.size(),
                     " bytes, more than GrpcStubOptions::max_message_bytes (",
                     options_.max_message_bytes, ") allows"));
  }
  const absl::Duration left = deadline.is_infinite()
                                  ? options_.default_deadline
                                  : deadline - context().Now();
  return calls_->Begin(method, bytes, left, trace(), context().loop_index(),
                       options_.max_calls);
}

absl::Status GrpcStub::On(const LinkTell& tell) {
  absl::Status begun = valid_;
  if (begun.ok()) {
    const absl::StatusOr<const Method*> method = MethodFor(*tell.route);
    begun = method.ok() ? Begin(**method, tell.bytes, tell.deadline).status()
                        : method.status();
  }
  if (!begun.ok()) ++not_sent_;
  return begun;
}

Task<absl::StatusOr<WireMessage>> GrpcStub::On(LinkAsk ask) {
  absl::Status wrong = valid_;
  if (!wrong.ok()) co_return wrong;
  const absl::StatusOr<const Method*> found = MethodFor(*ask.route);
  if (!found.ok()) {
    ++not_sent_;
    co_return found.status();
  }
  const Method method = **found;  // another handler may clear the table
  const absl::StatusOr<internal::StubCall::Ptr> call =
      Begin(method, ask.bytes, deadline());
  if (!call.ok()) {
    ++not_sent_;
    co_return call.status();
  }
  const Canceller canceller{**call};
  while (!(*call)->finished()) {
    auto waiting = (*call)->changed().Wait();
    co_await waiting;
  }
  co_return (*call)->Result(method, options_.max_message_bytes);
}

LinkStats GrpcStub::On(const GetLinkStats&) {
  const internal::StubCalls::Counts counts = calls_->counts();
  LinkStats stats;
  stats.connected =
      channel_->GetState(/*try_to_connect=*/false) == GRPC_CHANNEL_READY;
  stats.written = counts.begun;
  stats.refused_by_peer = counts.failed;
  stats.received = counts.answered;
  stats.not_sent = not_sent_;
  stats.pending_asks = counts.open;
  return stats;
}

LinkLedger GrpcStub::On(const GetLinkLedger&) {
  const internal::StubCalls::Counts counts = calls_->counts();
  return {.accepted = counts.begun,
          .written = counts.begun,
          .acknowledged = counts.answered,
          .failed = counts.failed,
          .open = counts.open};
}

}  // namespace trolley
