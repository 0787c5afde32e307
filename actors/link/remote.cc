// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/remote.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

// The most routes that are kept; a count. A route that is kept costs no search
// for the name of the sender.
constexpr size_t kMaxRoutes = 256;

}  // namespace

const LinkRoute::Ptr& RemoteBase::RouteOf(absl::string_view type) {
  const Address from = sender();
  if (last_route_ && from.id() == last_sender_ && last_route_->type == type) {
    return last_route_;
  }
  if (routes_.size() >= kMaxRoutes) routes_.clear();
  auto [entry, is_new] = routes_.try_emplace({type, from.id()});
  if (is_new) {
    entry->second = LinkRoute::New(target_, type, from ? from.ToString() : "");
  }
  last_sender_ = from.id();
  return last_route_ = entry->second;
}

LinkTell RemoteBase::MakeTell(absl::string_view type, std::string bytes) {
  return {.route = RouteOf(type),
          .bytes = std::move(bytes),
          .deadline = deadline()};
}

std::optional<absl::Status> RemoteBase::TellNow(LinkTell& tell) {
  const Delivery told = link_.Tell(std::move(tell));  // moved if accepted
  if (told == Delivery::kFull) return std::nullopt;
  if (told == Delivery::kAccepted) return absl::OkStatus();
  return link_.address().Explain(told);
}

AskAwaiter<absl::StatusOr<WireMessage>> RemoteBase::Ask(absl::string_view type,
                                                        std::string bytes) {
  // The deadline of the message in hand is the sooner one.
  return link_.Ask<LinkAsk>(absl::InfiniteDuration(), RouteOf(type),
                            std::move(bytes), askers());
}

absl::Status RemoteBase::NotSerialized(absl::string_view type) const {
  return absl::InvalidArgumentError(
      absl::StrCat("a message of type ", type, " for \"", Printable(target_),
                   "\" does not serialize; it lacks a required field or is "
                   "longer than 2 GiB"));
}

absl::Status RemoteBase::WrongReply(const WireMessage& reply,
                                    absl::string_view expected) const {
  return absl::InternalError(absl::StrCat(
      "\"", Printable(target_), "\" of the other process replied with ",
      reply.type.empty() ? "nothing" : Printable(reply.type), " (",
      reply.bytes.size(), " bytes), which is not a good ", expected,
      "; the two processes were built with different protocols"));
}

}  // namespace trolley::internal
