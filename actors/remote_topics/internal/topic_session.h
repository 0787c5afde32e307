// SPDX-License-Identifier: Apache-2.0
//
// TopicSession<T>: the subscription of one subscriber of another process. It
// takes the publications from Topics, keeps them for a while, and gives them to
// the subscriber when that one asks for the next ones (proto/topics.proto).
//
//   auto session = Spawn<TopicSession<Order>>({.name = name}, topics, options);
//   topics.Subscribe<Order>("orders.*", *session);
//
// Ownership: the bus owns it; a TopicExport spawns it.
// Threads:   as any actor.
// Bounds:    TopicExportOptions. Its mailbox bounds what Topics sends to it.
// Ends:      Unsubscribe; the end of the export; or TopicExportOptions::keep
//            after the last question.

#ifndef TROLLEY_ACTORS_REMOTE_TOPICS_INTERNAL_TOPIC_SESSION_H_
#define TROLLEY_ACTORS_REMOTE_TOPICS_INTERNAL_TOPIC_SESSION_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/async_condition.h"
#include "trolley/actors/remote_topics/internal/waiting_entries.h"
#include "trolley/actors/remote_topics/remote_topics_options.h"
#include "trolley/actors/task.h"
#include "trolley/actors/topics/topics.h"

namespace trolley::internal {

// Its subscription at Topics.
struct SessionBegins {
  SubscriptionId subscription;
};
// It is time to look whether the subscriber has gone.
struct LookForSubscriber {};

// The part that does not depend on the type of the publications.
class TopicSessionBase : public Actor {
 public:
  static constexpr bool kInterleaved = true;
  using Receives =
      Protocol<topics::v1::Batch(topics::v1::Next), topics::v1::Unsubscribe>;

  TopicSessionBase(Topics topics, const TopicExportOptions& options)
      : topics_(std::move(topics)), options_(options), entries_(options) {}

  void On(const SessionBegins& m) { subscription_ = m.subscription; }
  void On(const Gap& gap);
  Task<absl::StatusOr<topics::v1::Batch>> On(topics::v1::Next next);
  void On(const topics::v1::Unsubscribe&) { Stop(); }
  void On(const LookForSubscriber&);

 protected:
  void OnStart() override;
  void OnDrain() override;
  void Add(const std::string& name, std::string value, uint64_t sequence);

 private:
  // Counts a question while it lives.
  class Question;

  const Topics topics_;
  const TopicExportOptions options_;
  SubscriptionId subscription_;
  WaitingEntries entries_;
  AsyncCondition changed_;
  bool draining_ = false;
  int questions_ = 0;  // that wait
  Instant last_;       // the end of the last one
};

template <typename T>
class TopicSession final : public TopicSessionBase {
 public:
  using TopicSessionBase::On;
  using TopicSessionBase::TopicSessionBase;

  void On(const Published<T>& m) {
    Add(m.name, m.value.SerializeAsString(), m.sequence);
  }
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_REMOTE_TOPICS_INTERNAL_TOPIC_SESSION_H_
