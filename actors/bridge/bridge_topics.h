// SPDX-License-Identifier: Apache-2.0
//
// BridgeTopics: the topics that clients of a bridge may publish and subscribe
// to, and the types of their publications.
//
//   trolley::Topics topics;
//   trolley::BridgeTopics carried(topics);
//   carried.Carry<bank::v1::Order>().Carry<bank::v1::Price>();
//   auto bridge = trolley::BridgeService::Create(bus, {}, {}, carried);
//
// A client names a type by its full name, such as "bank.v1.Order". A client
// that publishes makes a value of that type, as Topics::Publish() does. A
// client that subscribes is a subscriber of that type;
// actors/bridge/bridge_service.h says what the client gets.
//
// Ownership: copies share one table, and the Topics.
// Threads:   Carry() before the table is given to a bridge; after that it is
//            immutable.
// Bounds:    those of the Topics, and one entry for each type.

#ifndef TROLLEY_ACTORS_BRIDGE_BRIDGE_TOPICS_H_
#define TROLLEY_ACTORS_BRIDGE_BRIDGE_TOPICS_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/bridge/internal/bridged_type.h"
#include "trolley/actors/bridge/internal/topic_forwarder.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/wire_methods.h"

namespace trolley {

namespace internal {

template <WireType T>
class BridgedTypeOf final : public BridgedType {
 public:
  absl::StatusOr<PublishReport> Publish(
      const Topics& topics, absl::string_view name,
      const std::string& bytes) const override {
    T value;
    if (!value.ParseFromString(bytes)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the ", bytes.size(), " bytes of the message are no ",
                       NameOfType<T>()));
    }
    return topics.Publish<T>(name, std::move(value));
  }
  absl::StatusOr<SubscriptionId> Subscribe(
      const Topics& topics, absl::string_view pattern, const Address& forwarder,
      const SubscribeOptions& options) const override {
    return topics.Subscribe<T>(pattern, Ref<TopicForwarder>(forwarder),
                               options);
  }
};

}  // namespace internal

class BridgeTopics {
 public:
  // Of no type.
  explicit BridgeTopics(Topics topics)
      : topics_(std::move(topics)), table_(std::make_shared<Table>()) {}

  // Lets publications of Ts cross. A second time it changes nothing.
  template <WireType T>
  BridgeTopics& Carry() {
    table_->try_emplace(std::string(internal::NameOfType<T>()),
                        std::make_unique<const internal::BridgedTypeOf<T>>());
    return *this;
  }

  const Topics& topics() const { return topics_; }

  // For the library. InvalidArgument: it was not carried; the text lists those
  // that were.
  absl::StatusOr<const internal::BridgedType*> Find(
      const std::string& type) const;

 private:
  using Table =
      std::map<std::string, std::unique_ptr<const internal::BridgedType>>;

  Topics topics_;
  std::shared_ptr<Table> table_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_BRIDGE_BRIDGE_TOPICS_H_
