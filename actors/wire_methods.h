// SPDX-License-Identifier: Apache-2.0
//
// Receives: which messages an actor takes from other processes and from tools.
// An actor names a Protocol (actors/protocol.h) in its class:
//
//   class Counter : public trolley::Actor {
//    public:
//     using Receives = trolley::Protocol<wordcount::Add,
//                                        wordcount::Top(wordcount::TopQuery)>;
//     void On(const wordcount::Add& m);
//     wordcount::Top On(const wordcount::TopQuery& m);
//   };
//
// The same Protocol serves in a Ref, and in a Remote of the other process
// (actors/link/remote.h).
//
// The messages are Protobuf types, known by their full name ("wordcount.Add").
// A message of another type is refused with InvalidArgument. A handler may
// return a Protobuf type, void or an absl::Status; another type compiles, and
// an ask from another process is then Unimplemented.
//
// This header does not include Protobuf: it calls members that all generated
// messages have.
//
// Types and constants; any thread.

#ifndef TROLLEY_ACTORS_WIRE_METHODS_H_
#define TROLLEY_ACTORS_WIRE_METHODS_H_

#include <algorithm>
#include <climits>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trolley/actors/internal/handler.h"
#include "trolley/actors/protocol.h"
#include "trolley/bus/mailbox/wire_method.h"

namespace trolley {

// A message as bytes. A reply without content has an empty type.
struct WireMessage {
  std::string type;   // Protobuf's full name
  std::string bytes;  // its binary encoding
};

// The same, but it borrows the type and the bytes.
struct WireView {
  WireView(absl::string_view type, absl::string_view bytes)
      : type(type), bytes(bytes) {}
  WireView(const WireMessage& message)  // NOLINT: that is what it is for
      : type(message.type), bytes(message.bytes) {}
  WireView(WireMessage&& temporary) = delete;
  absl::string_view type;
  absl::string_view bytes;
};

template <typename M>
concept WireType = requires(M& m, const M& c, std::string* to) {
  std::string(M::descriptor()->full_name());
  {
    m.ParseFromArray(static_cast<const void*>(nullptr), 0)
    } -> std::convertible_to<bool>;
  { c.SerializeToString(to) } -> std::convertible_to<bool>;
};

namespace internal {

// The full name of M; never destroyed.
template <WireType M>
absl::string_view NameOfType() {
  static const auto& name = *new std::string(M::descriptor()->full_name());
  return name;
}

template <typename T>
absl::StatusOr<WireMessage> ToWire(const T& content) {
  if constexpr (WireType<T>) {
    WireMessage reply{.type = std::string(T::descriptor()->full_name())};
    if (content.SerializeToString(&reply.bytes)) return reply;
    return absl::InternalError(
        absl::StrCat("a reply of type ", reply.type, " does not serialize"));
  } else {
    return absl::UnimplementedError(absl::StrCat(
        "the reply is a ", TypeName<T>(),
        ", which cannot cross a process; make it a Protobuf type"));
  }
}

// `status` without its payloads, which mean something in this process only.
inline absl::Status OverWire(const absl::Status& status) {
  return absl::Status(status.code(), status.message());
}

inline absl::StatusOr<WireMessage> ToWire(const absl::Status& status) {
  if (status.ok()) return WireMessage{};
  return OverWire(status);
}

template <typename T>
absl::StatusOr<WireMessage> ToWire(const absl::StatusOr<T>& result) {
  if (!result.ok()) return OverWire(result.status());
  return ToWire(*result);
}

// Makes the reply that leaves the process, on the loop of the actor.
struct WireReply {
  template <typename A, typename M>
  using Stored = absl::StatusOr<WireMessage>;
  template <typename A, typename M, typename R>
  static Stored<A, M> Convert(R&& result) {
    return ToWire(result);
  }
};

template <typename R>
struct ReplyContent {
  using Type = R;
};
template <typename T>
struct ReplyContent<absl::StatusOr<T>> {
  using Type = T;
};

// One entry of Receives: M, or R(M).
template <typename A, typename Entry>
struct WireMethodOf {
  using M = typename ProtocolEntry<Entry>::Message;
  static_assert(WireType<M>, "Receives lists Protobuf messages only");
  static_assert(sizeof(ActorHandles<A, M>) > 0,
                "Receives lists messages that On() takes");
  static_assert(
      std::is_same_v<Reply<A, M>, typename ProtocolEntry<Entry>::Reply>,
      "Receives names the reply of each message: for On(M) that "
      "returns R, write R(M)");

  static std::string ReplyTypeName() {
    using T = typename ReplyContent<HandlerResult<A, M>>::Type;
    if constexpr (WireType<T>) {
      return std::string(T::descriptor()->full_name());
    } else {
      return "";
    }
  }

  static bool Parse(Envelope* e, absl::string_view bytes) {
    if (bytes.size() > INT_MAX) return false;  // which Protobuf cannot take
    M& message = e->Emplace<M>();
    if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
      return true;
    }
    e->Destroy<M>();
    return false;
  }

  static constexpr WireMethod kMethod = {
      .message_type = &NameOfType<M>,
      .reply_type = &ReplyTypeName,
      .ops = &Handler<A, M, WireReply>::kOps,
      .envelope_bytes =
          std::max(Envelope::BytesFor<M>(),
                   Envelope::BytesFor<absl::StatusOr<WireMessage>>()),
      .parse = &Parse,
  };
};

template <typename A, typename List>
struct WireMethodList;
template <typename A, typename... Entries>
struct WireMethodList<A, Protocol<Entries...>> {
  static absl::Span<const WireMethod* const> Get() {
    static constexpr const WireMethod* kMethods[] = {
        &WireMethodOf<A, Entries>::kMethod..., nullptr};
    return absl::MakeConstSpan(kMethods, sizeof...(Entries));
  }
};

template <typename A>
absl::Span<const WireMethod* const> WireMethodsOf() {
  if constexpr (requires { typename A::Receives; }) {
    return WireMethodList<A, typename A::Receives>::Get();
  } else {
    return {};
  }
}

}  // namespace internal
}  // namespace trolley

#endif  // TROLLEY_ACTORS_WIRE_METHODS_H_
