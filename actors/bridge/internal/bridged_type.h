// SPDX-License-Identifier: Apache-2.0
//
// BridgedType: a type of publications that crosses the bridge, as the bridge
// knows it: by Protobuf's full name and by bytes.
//
// Ownership: BridgeTopics (actors/bridge/bridge_topics.h) makes and keeps them.
// Threads:   immutable after construction; the methods are thread-safe.

#ifndef TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGED_TYPE_H_
#define TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGED_TYPE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/topics/topics_options.h"
#include "trolley/bus/address.h"

namespace trolley::internal {

class BridgedType {
 public:
  virtual ~BridgedType() = default;

  // InvalidArgument: the bytes are not of this type, or the name of the topic
  // breaks a rule.
  virtual absl::StatusOr<PublishReport> Publish(
      const Topics& topics, absl::string_view name,
      const std::string& bytes) const = 0;

  // `forwarder` names a TopicForwarder. Errors: as Topics::Subscribe.
  virtual absl::StatusOr<SubscriptionId> Subscribe(
      const Topics& topics, absl::string_view pattern, const Address& forwarder,
      const SubscribeOptions& options) const = 0;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_BRIDGE_INTERNAL_BRIDGED_TYPE_H_
