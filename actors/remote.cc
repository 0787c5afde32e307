// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/remote.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "trolley/actors/printable.h"

namespace trolley::internal {
namespace {

// Names of senders kept, so that saying who sends costs no search.
constexpr size_t kMaxNames = 256;

}  // namespace

Task<absl::StatusOr<WireMessage>> RemoteBase::Forward(WireMessage message) {
  const bool asked = AskInHand();
  const Address from = sender();
  std::string sender_name = from ? NameOf(from.id()) : "";
  std::optional<Turns::Turn> turn(co_await turns_.Take());
  if (!asked) {
    LinkTell tell;
    tell.target = target_;
    tell.message = std::move(message);
    tell.deadline = deadline();
    tell.sender = std::move(sender_name);
    absl::Status sent = co_await link_.Send(std::move(tell));
    if (!sent.ok()) co_return sent;
    co_return WireMessage();
  }
  LinkAsk ask;
  ask.target = target_;
  ask.message = std::move(message);
  ask.sender = std::move(sender_name);
  ask.askers = Askers();
  // The deadline of the message in hand is the sooner one.
  Asking<absl::StatusOr<WireMessage>> asking =
      link_.Ask(std::move(ask), absl::InfiniteDuration());
  turn.reset();
  co_return co_await asking;
}

absl::Status RemoteBase::NotSerialized(absl::string_view type) const {
  return absl::InvalidArgumentError(
      absl::StrCat("a message of type ", type, " for \"", target_,
                   "\" does not serialize; it lacks a required field or is "
                   "longer than 2 GiB"));
}

absl::Status RemoteBase::WrongReply(const WireMessage& reply,
                                    absl::string_view expected) const {
  return absl::InternalError(absl::StrCat(
      "\"", target_, "\" of the other process replied with ",
      reply.type.empty() ? "nothing" : Printable(reply.type, 256), " (",
      reply.bytes.size(), " bytes), which is not a good ", expected,
      "; the two processes were built with different protocols"));
}

const std::string& RemoteBase::NameOf(ActorId id) {
  if (names_.size() >= kMaxNames) names_.clear();
  auto [entry, is_new] = names_.try_emplace(id);
  if (is_new) entry->second = loop().bus().names().Describe(id);
  return entry->second;
}

std::vector<std::string> RemoteBase::Askers() {
  const Envelope* e = loop().turn().envelope;
  const std::string process = absl::StrCat(
      absl::Hex(loop().bus().instance_id(), absl::kZeroPad16), "/");
  std::vector<std::string> askers;
  const Context* root = nullptr;
  if (e->ask_id() != 0) askers.push_back(process + NameOf(e->sender));
  for (const Context* c = e->context.get(); c != nullptr; c = c->parent()) {
    if (c->asker()) askers.push_back(process + NameOf(c->asker()));
    root = c;
  }
  if (root != nullptr) {
    askers.insert(askers.end(), root->foreign_askers().rbegin(),
                  root->foreign_askers().rend());
  }
  std::reverse(askers.begin(), askers.end());
  return askers;
}

}  // namespace trolley::internal
