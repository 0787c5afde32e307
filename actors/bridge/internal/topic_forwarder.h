// SPDX-License-Identifier: Apache-2.0
//
// TopicForwarder: the actor of one subscription of a client of the bridge
// (proto/bridge.proto). It subscribes to Topics, keeps a few publications, and
// sends each when the client has granted credit and gRPC has room. It counts
// what it drops, and what Topics says that it missed.
//
//   matched = sent + missed in events + kept + dropped since the last event
//
// When its call is lost it stays for a while, and goes on with the next call of
// the same client that has its token.
//
// Ownership: the bus owns it; it shares its call with gRPC.
// Threads:   as any actor.
// Bounds:    BridgeOptions::kept_events publications, and one event on its way.
// Ends:      when the client says so, when a request breaks a rule, when no
//            call follows the last one within BridgeOptions::resume_within, or
//            when it is stopped.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_TOPIC_FORWARDER_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_TOPIC_FORWARDER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/bridge/internal/bridged_type.h"
#include "trolley/actors/bridge/internal/grpc_transport.h"
#include "trolley/actors/bridge/internal/new_call.h"
#include "trolley/actors/bridge/internal/server_pieces.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/wire_methods.h"
#include "trolley/proto/bridge.pb.h"

namespace trolley::internal {

class TopicForwarder final : public Actor {
 public:
  struct Parts {
    Topics topics;
    std::function<absl::StatusOr<const BridgedType*>(const std::string&)> find;
    std::string token;
    size_t kept_events;
    absl::Duration resume_within;
  };
  // The name of the actor that has `token`.
  static std::string NameOf(const std::string& token);

  // `slot`: as StreamLink has one.
  TopicForwarder(NewCall call, Parts parts, std::shared_ptr<void> slot);

  template <WireType T>
  void On(const Published<T>& m) {
    Keep({.topic = m.name,
          .sequence = m.sequence,
          .type = std::string(NameOfType<T>()),
          .write = [m](std::string* to) { m.value.SerializeToString(to); }});
  }
  void On(const Gap& gap);

  // A call that goes on with this subscription.
  struct Resume {
    NewCall call;
    uint64_t position;
    uint32_t credit;
  };
  void On(Resume&& resume);

 protected:
  void OnStart() override;
  void OnDrain() override;
  void OnStop() override;

 private:
  struct Kept {
    std::string topic;
    uint64_t sequence = 0;
    std::string type;
    // Keeps the value, which all subscribers share.
    std::function<void(std::string* to)> write;
    uint64_t position = 0;
  };
  struct Call {
    explicit Call(std::shared_ptr<ServerPieces> pieces)
        : pieces(std::move(pieces)),
          transport(std::make_unique<GrpcTransport>(this->pieces)) {}
    const std::shared_ptr<ServerPieces> pieces;
    std::unique_ptr<GrpcTransport> transport;
    bool usable = true;
    bool welcomed = false;
  };
  using CallPtr = std::shared_ptr<Call>;
  using Request = bridge::v1::SubscribeRequest;

  void Keep(Kept publication);

  // The coroutines: of each call, of the actor, and of the time without a call.
  Task<absl::Status> Listen(CallPtr call, bool is_new);
  Task<absl::Status> SendEvents();
  Task<absl::Status> AwaitResume();

  static Task<absl::StatusOr<Request>> Next(CallPtr call);
  absl::Status Begin(const Request& first);
  // True: another forwarder has the call now, or has refused it.
  bool HandOver(const CallPtr& call, const Request& first);
  absl::Status Take(const Request& request);
  // `why` OK: the client has ended the subscription.
  void EndOf(const CallPtr& call, const absl::Status& why);

  bool CanSend() const;
  bridge::v1::SubscribeEvent NextEvent();

  NewCall first_;  // until OnStart()
  const Parts parts_;
  const std::shared_ptr<void> slot_;
  std::string identity_;

  CallPtr call_;  // null: lost
  uint32_t credit_ = 0;
  SubscriptionId subscription_;
  std::deque<Kept> kept_;
  uint64_t matched_ = 0;
  uint64_t position_ = 0;  // of the last event
  bool flushed_ = true;    // Topics has no gap that it has not told
  bool ended_ = false;
  bool awaits_resume_ = false;
  AsyncCondition changed_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_TOPIC_FORWARDER_H_
