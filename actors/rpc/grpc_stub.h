// SPDX-License-Identifier: Apache-2.0
//
// GrpcStub: a gRPC service of another process as a Ref. It is an actor with the
// handlers of Link (actors/link/link.h), so a Remote sends through it. The bus
// name of the Remote is the full name of the service.
//
//   using Bank = trolley::Protocol<Balance(GetBalanceRequest)>;
//   auto channel = grpc::CreateChannel("bank:50051", credentials);
//   auto stub = bus->Spawn<trolley::GrpcStub>({}, *bus, channel);
//   trolley::Ref<Bank> bank =
//       *bus->Spawn<trolley::Remote<Bank>>({}, *stub, "bank.v1.Bank");
//   absl::StatusOr<Balance> balance = co_await bank.Ask(request, timeout);
//
// A message is a call of the method that takes its type: an ask gets the reply
// of the method. A tell gets no answer; an error of its call is counted
// (LinkStats::refused_by_peer). The server gets the deadline of the ask, and
// its trace as the header "traceparent". When the asker no longer waits, the
// call is cancelled.
//
//   error               when
//   any                 the server answered with it; the text is made printable
//   Unavailable         gRPC does not reach the server
//   InvalidArgument     the service has no method, or two, that take this type;
//                       or an option is out of its range
//   NotFound            this program has no such service
//   Unimplemented       the method streams. A stub makes unary calls only
//   ResourceExhausted   GrpcStubOptions::max_calls, max_message_bytes
//   DeadlineExceeded    no answer came in time
//
// It does not look for cycles of asks: the header of a call does not say which
// actors wait.
//
// Ownership: the bus owns it. It shares the channel. The bus outlives it.
// Threads:   as any actor. A reply enters on the loop of the stub, and not on a
//            thread of gRPC. It starts no thread; gRPC has its own.
// Bounds:    GrpcStubOptions, and SpawnOptions::mailbox_capacity. Asks without
//            an answer hold at most half of the mailbox (actors/actor.h).
// Ends:      as any actor. Then the calls are cancelled.

#ifndef TROLLEY_ACTORS_RPC_GRPC_STUB_H_
#define TROLLEY_ACTORS_RPC_GRPC_STUB_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/link/link_without_watches.h"
#include "trolley/actors/rpc/grpc_stub_options.h"
#include "trolley/actors/rpc/internal/stub_calls.h"
#include "trolley/actors/task.h"

namespace trolley {

class GrpcStub : public Actor, public LinkWithoutWatches {
 public:
  // Its handlers wait for answers while others go on.
  static constexpr bool kInterleaved = true;

  // `channel` is not null. Options that are not valid: each message gets the
  // error of ValidateGrpcStubOptions().
  GrpcStub(const Bus& bus, std::shared_ptr<grpc::Channel> channel,
           const GrpcStubOptions& options = {});
  ~GrpcStub() override;

  absl::Status On(const LinkTell& tell);
  Task<absl::StatusOr<WireMessage>> On(LinkAsk ask);
  // connected: gRPC has a connection now. written: calls begun.
  // refused_by_peer: calls that ended with an error. received: answers that are
  // OK. not_sent: messages that this side refused. pending_asks: calls without
  // an answer. The rest is 0.
  LinkStats On(const GetLinkStats&);
  // acknowledged: answers that are OK. failed: calls that ended with an error.
  LinkLedger On(const GetLinkLedger&);
  using LinkWithoutWatches::On;

 private:
  using Method = internal::StubMethod;

  absl::StatusOr<const Method*> MethodFor(const LinkRoute& route);
  // OK: the call is under way.
  absl::StatusOr<internal::StubCall::Ptr> Begin(const Method& method,
                                                const std::string& bytes,
                                                Instant deadline);

  const std::shared_ptr<grpc::Channel> channel_;
  const GrpcStubOptions options_;
  const absl::Status valid_;
  const std::shared_ptr<internal::StubCalls> calls_;
  // By service and message type.
  absl::flat_hash_map<std::pair<std::string, std::string>,
                      absl::StatusOr<Method>>
      methods_;
  uint64_t not_sent_ = 0;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_RPC_GRPC_STUB_H_
