// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/rpc/internal/served_method.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "trolley/actors/rpc/server_streams.h"

namespace trolley::internal {
namespace {

constexpr char kNothing[] = "google.protobuf.Empty";

ServedMethod MethodOf(const google::protobuf::MethodDescriptor& method) {
  const std::string in = method.input_type()->full_name();
  const std::string out = method.output_type()->full_name();
  ServedMethod served;
  served.path =
      absl::StrCat("/", method.service()->full_name(), "/", method.name());
  served.client_streams = method.client_streaming();
  served.server_streams = method.server_streaming();
  served.type = served.streams() ? StreamingTypeName(served.client_streams, in,
                                                     served.server_streams, out)
                                 : in;
  served.reply_type = served.server_streams ? "" : out;
  return served;
}

// What stands in Receives for a handler of `method`.
std::string EntryFor(const google::protobuf::MethodDescriptor& method) {
  const std::string& in = method.input_type()->name();
  const std::string& out = method.output_type()->name();
  if (method.client_streaming() && method.server_streaming()) {
    return absl::StrCat("trolley::BidiStreaming<", in, ", ", out, ">");
  }
  if (method.client_streaming()) {
    return absl::StrCat(out, "(trolley::ClientStreaming<", in, ", ", out, ">)");
  }
  if (method.server_streaming()) {
    return absl::StrCat("trolley::ServerStreaming<", in, ", ", out, ">");
  }
  return absl::StrCat(out, "(", in, ")");
}

// Empty: `actor` serves it. `served` becomes exact.
std::string WhyNot(const google::protobuf::MethodDescriptor& method,
                   const WireTarget& actor, ServedMethod& served) {
  if (!actor.Takes(served.type)) {
    return absl::StrCat(served.path, ": \"", actor.name(),
                        "\" has no handler of ", served.type,
                        "; its class needs an On() for it, and ",
                        EntryFor(method), " in its Receives");
  }
  const std::string reply = actor.ReplyType(served.type);
  // mutant: P14_AHandlerMayReplyWithAnything
  if (reply == served.reply_type) return "";
  if (reply.empty() && served.reply_type == kNothing) {
    served.reply_type = "";
    return "";
  }
  return absl::StrCat(
      served.path, ": the handler of ", served.type, " in \"", actor.name(),
      "\" returns ", reply.empty() ? "no Protobuf message" : reply,
      "; the method returns ",
      served.reply_type.empty() ? "a status when its stream has ended"
                                : served.reply_type);
}

}  // namespace

absl::StatusOr<std::vector<ServedMethod>> MethodsOf(
    const google::protobuf::ServiceDescriptor& service,
    const WireTarget& actor) {
  std::vector<ServedMethod> methods;
  std::vector<std::string> problems;
  for (int i = 0; i < service.method_count(); ++i) {
    ServedMethod served = MethodOf(*service.method(i));
    const auto other = std::find_if(
        methods.begin(), methods.end(),
        [&](const ServedMethod& m) { return m.type == served.type; });
    // mutant: P14_TwoMethodsShareAHandler
    if (other != methods.end()) {
      problems.push_back(absl::StrCat(
          served.path, " and ", other->path, " both take ", served.type,
          ", and an actor has one handler for it; give each method a request "
          "message of its own"));
    } else if (std::string why = WhyNot(*service.method(i), actor, served);
               !why.empty()) {
      problems.push_back(std::move(why));
    }
    methods.push_back(std::move(served));
  }
  if (problems.empty()) return methods;
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

}  // namespace trolley::internal
