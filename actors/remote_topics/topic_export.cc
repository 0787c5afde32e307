// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/remote_topics/topic_export.h"

#include <random>

namespace trolley::internal {

using topics::v1::Subscribe;
using topics::v1::Subscribed;

void TopicExportBase::OnStart() {
  const absl::Status valid = ValidateTopicExportOptions(options_);
  if (!valid.ok()) {
    context().Log(absl::StrCat(address().ToString(), ": ", valid.message()));
    return Stop();
  }
  // No other subscriber should meet the name of a session by chance.
  last_ = (uint64_t{std::random_device()()} << 20) & ~(uint64_t{1} << 63);
}

void TopicExportBase::OnStop() {
  for (const auto& [session, watch] : sessions_) (void)session.Stop();
}

absl::StatusOr<Subscribed> TopicExportBase::On(const Subscribe& subscribe) {
  // mutant: P21_APeerMaySubscribeAsOftenAsItLikes
  if (sessions_.size() >= options_.max_sessions) {
    return absl::ResourceExhaustedError(
        absl::StrCat(sessions_.size(),
                     " subscriptions of other processes are open; "
                     "TopicExportOptions::max_sessions allows no more"));
  }
  const std::string name = absl::StrCat(address().ToString(), "/", ++last_);
  const absl::StatusOr<Address> session =
      Begin(subscribe.type(), subscribe.pattern(), name);
  if (!session.ok()) return session.status();
  sessions_.emplace(*session, Watch(Self(this), *session));
  Subscribed subscribed;
  subscribed.set_session(name);
  return subscribed;
}

}  // namespace trolley::internal
