// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/remote_topics/topic_import.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "trolley/actors/topics/topic_name.h"
#include "trolley/bus/options.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

constexpr char kSubscribe[] = "trolley.topics.v1.Subscribe";
constexpr char kSubscribed[] = "trolley.topics.v1.Subscribed";
constexpr char kNext[] = "trolley.topics.v1.Next";
constexpr char kBatch[] = "trolley.topics.v1.Batch";
constexpr char kUnsubscribe[] = "trolley.topics.v1.Unsubscribe";

// The answer as an M.
template <typename M>
absl::StatusOr<M> ReadAs(absl::string_view type,
                         const absl::StatusOr<WireMessage>& reply) {
  if (!reply.ok()) return reply.status();
  M message;
  if (reply->type == type && message.ParseFromString(reply->bytes)) {
    return message;
  }
  return absl::InternalError(
      absl::StrCat("the other process answered with ", Printable(reply->type),
                   " (", reply->bytes.size(), " bytes), not a good ", type));
}

}  // namespace

void TopicImportBase::OnStart() {
  absl::Status valid = ValidateTopicImportOptions(options_);
  valid.Update(ValidateActorName(topics_));
  valid.Update(ValidateTopicPattern(pattern_));
  if (!valid.ok()) {
    context().Log(absl::StrCat(address().ToString(), ": ", valid.message()));
    return Stop();
  }
  batch_bytes_ = options_.batch_bytes;
  link_watch_ = Watch(Self(this), link_.address());
  subscriber_watch_ = Watch(Self(this), subscriber_);
  RunInBackground(Run());
}

void TopicImportBase::OnStop() {
  if (session_.empty()) return;
  // If it does not arrive, the session ends by its own clock.
  (void)link_.Tell(
      LinkTell{.route = LinkRoute::New(session_, kUnsubscribe), .bytes = ""});
}

Task<absl::Status> TopicImportBase::Run() {
  for (;;) {
    const bool subscribes = session_.empty();
    absl::Status done;
    if (subscribes) {
      done = co_await Subscribe();
    } else {
      done = co_await Fetch();
    }
    if (done.ok()) continue;
    if (subscribes && absl::IsInvalidArgument(done)) {
      context().Log(absl::StrCat(address().ToString(), ": ", topics_,
                                 " of the other process: ", done.message()));
      Stop();
      co_return absl::OkStatus();
    }
    co_await Sleep(options_.pause);
  }
}

Task<absl::StatusOr<WireMessage>> TopicImportBase::Ask(LinkRoute::Ptr route,
                                                       std::string bytes) {
  LinkAsk question{.route = std::move(route), .bytes = std::move(bytes)};
  auto asking = link_.Ask(std::move(question), absl::InfiniteDuration());
  co_return co_await asking;
}

Task<absl::Status> TopicImportBase::Subscribe() {
  topics::v1::Subscribe subscribe;
  subscribe.set_pattern(pattern_);
  subscribe.set_type(type());
  const absl::StatusOr<WireMessage> reply = co_await Ask(
      LinkRoute::New(topics_, kSubscribe), subscribe.SerializeAsString());
  const auto subscribed = ReadAs<topics::v1::Subscribed>(kSubscribed, reply);
  if (!subscribed.ok()) co_return subscribed.status();
  if (!ValidateActorName(subscribed->session()).ok()) {
    co_return absl::InternalError("the name of the session is none");
  }
  session_ = subscribed->session();
  next_ = LinkRoute::New(session_, kNext);
  received_ = 0;
  if (had_session_) co_return co_await TellGap(Gap::kUnknown);
  had_session_ = true;
  co_return absl::OkStatus();
}

Task<absl::Status> TopicImportBase::Fetch() {
  topics::v1::Next next;
  next.set_received(received_);
  next.set_max_bytes(batch_bytes_);
  const absl::StatusOr<WireMessage> reply =
      co_await Ask(next_, next.SerializeAsString());
  const auto batch = ReadAs<topics::v1::Batch>(kBatch, reply);
  if (absl::IsNotFound(batch.status())) session_.clear();
  // The link takes shorter frames.
  if (absl::IsResourceExhausted(batch.status())) {
    batch_bytes_ = std::max<uint32_t>(batch_bytes_ / 2, 1);
  }
  if (!batch.ok()) co_return batch.status();
  if (batch->entries().empty()) {
    co_return absl::InternalError("the other process sent an empty batch");
  }
  co_return co_await Deliver(*batch);
}

Task<absl::Status> TopicImportBase::TellOne(const topics::v1::Entry& entry) {
  absl::Status named = ValidateTopicName(entry.name());
  if (named.ok() && !TopicMatches(pattern_, entry.name())) {
    named = absl::InvalidArgumentError("the pattern does not match the name");
  }
  if (!named.ok()) co_return named;
  co_return co_await TellPublished(entry);
}

Task<absl::Status> TopicImportBase::Deliver(const topics::v1::Batch& batch) {
  for (const topics::v1::Entry& entry : batch.entries()) {
    // mutant: P21_WhatHasComeComesAgain
    if (entry.number() <= received_) continue;
    if (entry.missed() > 0) {
      absl::Status told = co_await TellGap(entry.missed());
      if (!told.ok()) co_return told;
    }
    if (!entry.name().empty()) {
      absl::Status told = co_await TellOne(entry);
      // What is no publication counts as one that was missed.
      if (absl::IsInvalidArgument(told)) told = co_await TellGap(1);
      if (!told.ok()) co_return told;
    }
    received_ = entry.number();
  }
  co_return absl::OkStatus();
}

}  // namespace trolley::internal
