// SPDX-License-Identifier: Apache-2.0
//
// TopicExport<T...>: lets actors of other processes subscribe to the topics of
// this one. Each T is a Protobuf message that may be subscribed to.
//
//   trolley::Topics topics;
//   bus.Spawn<trolley::TopicExport<Order, Price>>({.name = "topics"}, topics);
//
// The other process has a TopicImport (actors/remote_topics/topic_import.h).
// For each of its subscriptions the export spawns a session: an actor
// "topics/<a number>" that keeps publications until the subscriber asks for
// them. A subscriber that is slow, or away, slows no publisher. What finds no
// room is counted, and the subscriber learns the exact count.
//
// A subscription from another process:
//
//   InvalidArgument    the pattern breaks a rule; or no T is of that type
//   ResourceExhausted  TopicExportOptions::max_sessions, or
//                      TopicsOptions::max_subscriptions
//
// Each process with a link to this one may subscribe. A process that must not
// needs a listener that turns it away.
//
// Ownership: the bus owns it; it keeps a copy of the Topics.
// Threads:   as any actor.
// Bounds:    TopicExportOptions.
// Ends:      as any actor, and its sessions with it. With options that are not
//            valid it ends at once, with a line in the log.

#ifndef TROLLEY_ACTORS_REMOTE_TOPICS_TOPIC_EXPORT_H_
#define TROLLEY_ACTORS_REMOTE_TOPICS_TOPIC_EXPORT_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/remote_topics/internal/topic_session.h"
#include "trolley/actors/remote_topics/remote_topics_options.h"
#include "trolley/actors/topics/topics.h"
#include "trolley/actors/watch.h"

namespace trolley {

namespace internal {

// The part that does not depend on the types.
class TopicExportBase : public Actor {
 public:
  using Receives = Protocol<topics::v1::Subscribed(topics::v1::Subscribe)>;

  TopicExportBase(Topics topics, const TopicExportOptions& options)
      : topics_(std::move(topics)), options_(options) {}

  absl::StatusOr<topics::v1::Subscribed> On(
      const topics::v1::Subscribe& subscribe);
  void On(const Down& down) { sessions_.erase(down.actor); }

 protected:
  void OnStart() override;
  void OnStop() override;

  // A session for that type. InvalidArgument: there is none, or the pattern
  // breaks a rule.
  virtual absl::StatusOr<Address> Begin(absl::string_view type,
                                        absl::string_view pattern,
                                        const std::string& name) = 0;

  template <typename T>
  absl::StatusOr<Address> BeginOf(absl::string_view pattern,
                                  const std::string& name) {
    absl::StatusOr<Ref<TopicSession<T>>> session =
        Spawn<TopicSession<T>>({.name = name}, topics_, options_);
    if (!session.ok()) return session.status();
    absl::StatusOr<SubscriptionId> subscribed =
        topics_.Subscribe<T>(pattern, *session);
    if (!subscribed.ok()) {
      (void)session->Stop();
      return subscribed.status();
    }
    session->Tell(SessionBegins{*subscribed});
    return session->address();
  }

 private:
  const Topics topics_;
  const TopicExportOptions options_;
  absl::flat_hash_map<Address, Watch> sessions_;
  uint64_t last_ = 0;
};

}  // namespace internal

template <typename... Ts>
class TopicExport final : public internal::TopicExportBase {
 public:
  explicit TopicExport(Topics topics, const TopicExportOptions& options = {})
      : TopicExportBase(std::move(topics), options) {}

 protected:
  absl::StatusOr<Address> Begin(absl::string_view type,
                                absl::string_view pattern,
                                const std::string& name) override {
    absl::StatusOr<Address> begun = absl::InvalidArgumentError(absl::StrCat(
        "nothing of that type is exported; these are: ", NamesOf()));
    const auto try_one = [&]<typename T>(T*) {
      if (type != T::descriptor()->full_name()) return;
      begun = this->template BeginOf<T>(pattern, name);
    };
    (try_one(static_cast<Ts*>(nullptr)), ...);
    return begun;
  }

 private:
  static std::string NamesOf() {
    std::string names;
    (absl::StrAppend(&names, names.empty() ? "" : ", ",
                     std::string(Ts::descriptor()->full_name())),
     ...);
    return names;
  }
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REMOTE_TOPICS_TOPIC_EXPORT_H_
