// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/remote_watch.h"

#include <utility>

#include "absl/status/status.h"
#include "trolley/actors/link/internal/pending_down.h"

namespace trolley {

RemoteWatch& RemoteWatch::operator=(RemoteWatch&& other) noexcept {
  if (this == &other) return *this;
  Forget();
  link_ = std::move(other.link_);
  owed_ = std::move(other.owed_);
  return *this;
}

void RemoteWatch::Begin() {
  internal::LinkWatch watch{.down =
                                std::make_unique<internal::PendingDown>(owed_)};
  const Delivery told = link_.Tell(std::move(watch));  // moved if accepted
  if (told == Delivery::kAccepted) return;
  const absl::Status why = link_.address().Explain(told);
  owed_->Tell({}, told == Delivery::kFull
                      ? why
                      : absl::UnavailableError(why.message()));
}

void RemoteWatch::Forget() {
  if (owed_ == nullptr) return;
  owed_->Forget();
  // A full mailbox refuses it: then the link forgets when it needs the place.
  (void)link_.Tell(internal::LinkUnwatch{.owed = std::move(owed_)});
  owed_.reset();
  link_ = {};
}

}  // namespace trolley
