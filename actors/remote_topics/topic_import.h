// SPDX-License-Identifier: Apache-2.0
//
// TopicImport<T>: subscribes an actor of this process to topics of another one,
// over a link.
//
//   class Book : public trolley::Actor {
//    public:
//     explicit Book(trolley::Ref<trolley::Link> link) : link_(link) {}
//     void OnStart() override {
//       Spawn<trolley::TopicImport<Order>>({}, link_, "topics", "orders.*",
//                                          Self(this)).IgnoreError();
//     }
//     void On(const trolley::Published<Order>& m) { Add(m.name, m.value); }
//     void On(const trolley::Gap& gap) { Reload(gap.missed); }
//     ...
//   };
//
// "topics" is the name of a TopicExport (actors/remote_topics/topic_export.h)
// over there. Order is a Protobuf message.
//
// The subscriber gets each publication once and in order, or learns the exact
// number of those that it missed: a Gap comes before the next publication. The
// import waits while the mailbox of the subscriber is full. Then publications
// wait over there, and those that find no room are counted.
//
//   when                                    then
//   the connection ends                     nothing is lost and nothing comes
//                                           twice: it goes on over the next one
//   the other process was restarted, or     the subscriber gets a Gap of
//   has forgotten the subscription          Gap::kUnknown; then what is new
//   the export does not run yet             it tries again
//   the export refuses the pattern or the   a line in the log, and it ends
//   type
//
// Ownership: the bus owns it.
// Threads:   as any actor.
// Bounds:    one batch (TopicImportOptions::batch_bytes), and one ask of the
//            link.
// Ends:      Stop(); with its link or its subscriber; or when its bus begins to
//            shut down.

#ifndef TROLLEY_ACTORS_REMOTE_TOPICS_TOPIC_IMPORT_H_
#define TROLLEY_ACTORS_REMOTE_TOPICS_TOPIC_IMPORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trolley/actors/actor.h"
#include "trolley/actors/link/link.h"
#include "trolley/actors/protocol.h"
#include "trolley/actors/remote_topics/remote_topics_options.h"
#include "trolley/actors/task.h"
#include "trolley/actors/topics/topic_messages.h"
#include "trolley/actors/watch.h"
#include "trolley/proto/topics.pb.h"

namespace trolley {

namespace internal {

// The part that does not depend on the type.
class TopicImportBase : public Actor {
 public:
  void On(const Down&) { Stop(); }

 protected:
  TopicImportBase(Ref<Link> link, std::string topics, std::string pattern,
                  Address subscriber, const TopicImportOptions& options)
      : link_(std::move(link)),
        topics_(std::move(topics)),
        pattern_(std::move(pattern)),
        subscriber_(std::move(subscriber)),
        options_(options) {}

  void OnStart() override;
  // A question that waits would hold up the shutdown.
  void OnDrain() override { Stop(); }
  void OnStop() override;

  virtual std::string type() const = 0;
  // Send to the subscriber, and wait for room.
  virtual Task<absl::Status> TellGap(uint64_t missed) = 0;
  // InvalidArgument: the bytes are no publication; nothing was sent.
  virtual Task<absl::Status> TellPublished(const topics::v1::Entry& entry) = 0;

  const std::string& pattern() const { return pattern_; }

 private:
  Task<absl::Status> Run();
  // A new session.
  Task<absl::Status> Subscribe();
  // The next batch of the session.
  Task<absl::Status> Fetch();
  Task<absl::Status> Deliver(const topics::v1::Batch& batch);
  // InvalidArgument: it is no publication.
  Task<absl::Status> TellOne(const topics::v1::Entry& entry);
  Task<absl::StatusOr<WireMessage>> Ask(LinkRoute::Ptr route,
                                        std::string bytes);

  const Ref<Link> link_;
  const std::string topics_;
  const std::string pattern_;
  const Address subscriber_;
  const TopicImportOptions options_;
  Watch link_watch_;
  Watch subscriber_watch_;

  std::string session_;  // empty: none
  bool had_session_ = false;
  LinkRoute::Ptr next_;
  uint64_t received_ = 0;
  uint32_t batch_bytes_ = 0;  // less than the option where that is too much
};

}  // namespace internal

template <typename T>
class TopicImport final : public internal::TopicImportBase {
 public:
  using Subscriber = Ref<Protocol<Published<T>, Gap>>;

  TopicImport(Ref<Link> link, std::string topics, std::string pattern,
              Subscriber subscriber, const TopicImportOptions& options = {})
      : TopicImportBase(std::move(link), std::move(topics), std::move(pattern),
                        subscriber.address(), options),
        subscriber_(std::move(subscriber)) {}

 protected:
  std::string type() const override {
    return std::string(T::descriptor()->full_name());
  }
  Task<absl::Status> TellGap(uint64_t missed) override {
    Gap gap{.subscription = {}, .pattern = pattern(), .missed = missed};
    auto sending = subscriber_.Send(std::move(gap));
    co_return co_await sending;
  }
  Task<absl::Status> TellPublished(const topics::v1::Entry& entry) override {
    T value;
    if (!value.ParseFromString(entry.value())) {
      co_return absl::InvalidArgumentError("the bytes are not of the type");
    }
    Published<T> published =
        Published<T>::Of(entry.name(), std::move(value), entry.sequence());
    auto sending = subscriber_.Send(std::move(published));
    co_return co_await sending;
  }

 private:
  const Subscriber subscriber_;
};

}  // namespace trolley

#endif  // TROLLEY_ACTORS_REMOTE_TOPICS_TOPIC_IMPORT_H_
