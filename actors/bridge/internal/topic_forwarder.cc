// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/bridge/internal/topic_forwarder.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/bridge/internal/subscribe_call.h"
#include "trolley/actors/wire.h"

namespace trolley::internal {
namespace {

constexpr char kTypeUrlPrefix[] = "type.googleapis.com/";
constexpr uint32_t kMostCredit = std::numeric_limits<int32_t>::max();

absl::Status Lost() { return absl::UnavailableError("the call was lost"); }

}  // namespace

std::string TopicForwarder::NameOf(const std::string& token) {
  return absl::StrCat("bridge-subscription/", token);
}

TopicForwarder::TopicForwarder(NewCall call, Parts parts,
                               std::shared_ptr<void> slot)
    : first_(std::move(call)),
      parts_(std::move(parts)),
      slot_(std::move(slot)),
      identity_(first_.peer().identity) {}

void TopicForwarder::OnStart() {
  RunInBackground(Listen(std::make_shared<Call>(first_.Take()), true));
}

void TopicForwarder::OnDrain() { Stop(); }

void TopicForwarder::OnStop() {
  ended_ = true;
  changed_.Notify();
  if (subscription_ != SubscriptionId()) {
    parts_.topics.Unsubscribe(subscription_).IgnoreError();
  }
  if (call_ != nullptr) call_->pieces->Refuse(Draining());
}

// --- What comes from Topics ------------------------------------------------

void TopicForwarder::Keep(Kept publication) {
  publication.position = ++matched_;
  flushed_ = false;
  changed_.Notify();
  // mutant: P14_ASlowSubscriberCostsMemory
  if (kept_.size() >= parts_.kept_events) return;
  kept_.push_back(std::move(publication));
}

void TopicForwarder::On(const Gap& gap) {
  matched_ += gap.missed;
  changed_.Notify();
}

// --- What comes from the client --------------------------------------------

Task<absl::StatusOr<TopicForwarder::Request>> TopicForwarder::Next(
    CallPtr call) {
  std::string bytes(kMostRequestBytes, '\0');
  const absl::Span<char> into = absl::MakeSpan(bytes);
  const absl::StatusOr<size_t> n = co_await call->transport->Read(into);
  if (!n.ok()) co_return n.status();
  if (*n == 0) co_return Lost();
  Request request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(*n))) {
    co_return absl::InvalidArgumentError(
        "a request that is no trolley.bridge.v1.SubscribeRequest");
  }
  co_return request;
}

absl::Status TopicForwarder::Begin(const Request& first) {
  const bridge::v1::Subscription& wanted = first.subscription();
  const absl::StatusOr<const BridgedType*> type = parts_.find(wanted.type());
  if (!type.ok()) return type.status();
  const absl::StatusOr<SubscriptionId> subscribed = (*type)->Subscribe(
      parts_.topics, wanted.pattern(), address(), {.replay = wanted.replay()});
  if (!subscribed.ok()) return subscribed.status();
  subscription_ = *subscribed;
  return absl::OkStatus();
}

absl::Status TopicForwarder::Take(const Request& request) {
  if (request.credit() > kMostCredit - credit_) {
    return absl::InvalidArgumentError(
        absl::StrCat("credit for more than ", kMostCredit, " events"));
  }
  credit_ += request.credit();
  changed_.Notify();
  return absl::OkStatus();
}

bool TopicForwarder::HandOver(const CallPtr& call, const Request& first) {
  const std::string& token = first.subscription().token();
  if (token.empty()) return false;
  const auto other = WireTarget::Find(context(), NameOf(token));
  // The client chose the name, so it may be that of another kind of actor.
  const auto self = WireTarget::Find(context(), NameOf(parts_.token));
  if (!other.ok() || !self.ok() || other->class_name() != self->class_name() ||
      other->address().id() == self->address().id()) {
    call->pieces->Refuse(
        absl::NotFoundError("no subscription has this token, or not any more"));
    return true;
  }
  call->transport->Forget();
  Resume resume{.call = NewCall(call->pieces, {.identity = identity_},
                                NewCall::Kind::kSubscription),
                .position = first.subscription().position(),
                .credit = first.credit()};
  const Ref<TopicForwarder> forwarder(other->address());
  // A message that is refused ends the call with it.
  static_cast<void>(forwarder.Tell(std::move(resume)));
  return true;
}

void TopicForwarder::On(Resume&& resume) {
  const std::shared_ptr<ServerPieces> pieces = resume.call.Take();
  // mutant: P14_AnotherClientGoesOnWithASubscription
  if (resume.call.peer().identity != identity_) {
    return pieces->Refuse(
        absl::NotFoundError("no subscription of this client has this token"));
  }
  if (resume.position > position_ || resume.credit > kMostCredit) {
    return pieces->Refuse(absl::InvalidArgumentError(
        absl::StrCat("the position is ", resume.position, " and the credit ",
                     resume.credit, "; the last event was at ", position_)));
  }
  if (call_ != nullptr) {
    const CallPtr old = std::exchange(call_, nullptr);
    old->pieces->Refuse(
        absl::AbortedError("another call has gone on with this subscription"));
  }
  // mutant: P19_WhatWasLostWithACallIsNotCounted
  position_ = resume.position;
  credit_ = resume.credit;
  RunInBackground(Listen(std::make_shared<Call>(pieces), false));
}

Task<absl::Status> TopicForwarder::Listen(CallPtr call, bool is_new) {
  absl::Status good = call->transport->Start(context());
  if (good.ok() && is_new) {
    const absl::StatusOr<Request> first = co_await Next(call);
    good = first.status();
    if (good.ok() && HandOver(call, *first)) {
      Stop();
      co_return absl::OkStatus();
    }
    if (good.ok()) good = Begin(*first);
    if (good.ok()) good = Take(*first);
    if (good.ok()) RunInBackground(SendEvents());
  }
  if (good.ok()) {
    call_ = call;
    changed_.Notify();
  }
  while (good.ok()) {
    const absl::StatusOr<Request> next = co_await Next(call);
    if (call_ != call) co_return absl::OkStatus();  // another one goes on
    good = next.status();
    if (good.ok() && next->has_subscription()) {
      good = absl::InvalidArgumentError("a second subscription of one call");
    }
    if (good.ok()) good = Take(*next);
    if (good.ok() && next->end()) break;
  }
  EndOf(call, good);
  co_return absl::OkStatus();
}

void TopicForwarder::EndOf(const CallPtr& call, const absl::Status& why) {
  const bool lost = absl::IsUnavailable(why);
  call->pieces->Refuse(why);
  call->usable = false;
  const bool had_it = call_ == call;
  if (had_it) call_ = nullptr;
  changed_.Notify();
  // mutant: P19_ALostCallEndsItsSubscription
  if (!lost || !had_it) return Stop();
  if (!std::exchange(awaits_resume_, true)) RunInBackground(AwaitResume());
}

Task<absl::Status> TopicForwarder::AwaitResume() {
  const Instant until = context().Now() + parts_.resume_within;
  bool in_time = true;
  while (call_ == nullptr && in_time && !ended_) {
    in_time = co_await changed_.Wait(until);
  }
  awaits_resume_ = false;
  if (call_ == nullptr) Stop();
  co_return absl::OkStatus();
}

// --- What goes to the client -----------------------------------------------

bool TopicForwarder::CanSend() const {
  if (call_ == nullptr || !call_->usable) return false;
  if (!call_->welcomed) return true;
  // mutant: P14_EventsNeedNoCredit
  return credit_ > 0 && matched_ > position_;
}

bridge::v1::SubscribeEvent TopicForwarder::NextEvent() {
  bridge::v1::SubscribeEvent event;
  if (!call_->welcomed) {
    call_->welcomed = true;
    event.set_token(parts_.token);
    event.set_position(position_);
    return event;
  }
  --credit_;
  if (kept_.empty()) {
    event.set_missed(matched_ - position_);
    position_ = matched_;
  } else {
    Kept& first = kept_.front();
    // mutant: P19_TheGapBeforeAPublicationIsNotTold
    event.set_missed(first.position - position_ - 1);
    position_ = first.position;
    bridge::v1::Publication& publication = *event.mutable_publication();
    publication.set_topic(std::move(first.topic));
    publication.set_sequence(first.sequence);
    publication.mutable_message()->set_type_url(kTypeUrlPrefix + first.type);
    first.write(publication.mutable_message()->mutable_value());
    kept_.pop_front();
  }
  event.set_position(position_);
  return event;
}

Task<absl::Status> TopicForwarder::SendEvents() {
  while (!ended_) {
    if (!CanSend()) {
      // A gap that Topics has counted and not told comes as a message.
      if (!std::exchange(flushed_, true)) {
        parts_.topics.FlushGap(subscription_).IgnoreError();
      }
      co_await changed_.Wait();
      continue;
    }
    const CallPtr call = call_;
    const std::string event = NextEvent().SerializeAsString();
    const auto write = [&call, &event] {
      return call->pieces->WriteWhole(event);
    };
    const absl::StatusOr<size_t> written =
        co_await call->transport->WhenWritable(write);
    if (!written.ok()) call->usable = false;
  }
  co_return absl::OkStatus();
}

}  // namespace trolley::internal
