// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/remote_names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/context.h"
#include "trolley/actors/link/internal/link_payload.h"
#include "trolley/bus/options.h"
#include "trolley/poller/printable.h"

namespace trolley {
namespace {

absl::StatusOr<RemoteActor> ReadFound(const std::string& name,
                                      const WireMessage& reply) {
  link::v1::Found found;
  if (reply.type != internal::kFoundType ||
      !found.ParseFromString(reply.bytes)) {
    return absl::InternalError(
        absl::StrCat("the other process answered a lookup with ",
                     reply.type.empty() ? "nothing" : Printable(reply.type),
                     " (", reply.bytes.size(), " bytes)"));
  }
  RemoteActor actor{.name = name, .accepts = {}};
  for (const std::string& type : found.accepts()) {
    // mutant: P14_TheTypesOfALookupAreTakenAsTheyAre
    actor.accepts.push_back(Printable(type));
  }
  return actor;
}

}  // namespace

absl::Status RemoteActor::TakesTypes(
    const std::vector<std::string>& types) const {
  std::vector<std::string> missing;
  for (const std::string& type : types) {
    if (std::find(accepts.begin(), accepts.end(), type) == accepts.end()) {
      missing.push_back(type);
    }
  }
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("\"", name, "\" of the other process does not take ",
                   absl::StrJoin(missing, ", "), "; it takes ",
                   accepts.empty() ? "nothing from other processes"
                                   : Printable(absl::StrJoin(accepts, ", "))));
}

Task<absl::StatusOr<RemoteActor>> RemoteNames::LookUp(Ref<Link> link,
                                                      std::string name,
                                                      bool wait,
                                                      absl::Duration timeout) {
  if (absl::Status valid = ValidateActorName(name); !valid.ok()) {
    co_return valid;
  }
  const ActorContext context = *ActorContext::OfThisThread();
  const Instant deadline = context.Now() + timeout;
  link::v1::Lookup lookup;
  lookup.set_wait(wait);
  const LinkRoute::Ptr route = LinkRoute::New(name, internal::kLookupType);
  for (;;) {
    LinkAsk question{.route = route, .bytes = lookup.SerializeAsString()};
    auto asking = link.Ask(std::move(question), deadline - context.Now());
    const absl::StatusOr<WireMessage> reply = co_await asking;
    if (reply.ok()) co_return ReadFound(name, *reply);
    if (absl::IsInvalidArgument(reply.status())) {
      co_return absl::UnimplementedError(absl::StrCat(
          "the other process knows no lookups: ", reply.status().message()));
    }
    const absl::Duration left = deadline - context.Now();
    if (!wait || !absl::IsUnavailable(reply.status()) ||
        left <= absl::ZeroDuration()) {
      co_return reply.status();
    }
    co_await context.Sleep(std::min(kPause, left));
  }
}

}  // namespace trolley
