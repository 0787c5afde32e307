// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/link/internal/protobuf_log.h"

#include <google/protobuf/stubs/logging.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/context.h"

namespace trolley::internal {
namespace {

// Of the process, as libprotobuf has one handler for the process.
std::once_flag routed;
std::atomic<google::protobuf::LogHandler*> handler_before{nullptr};

thread_local constinit const Bus* scope = nullptr;

// Logs to the bus that the thread works for. False: it works for none.
bool LogToBus(absl::string_view line, LogKind kind) {
  if (scope != nullptr) {
    scope->Log(line, "", kind);
    return true;
  }
  const std::optional<ActorContext> context = ActorContext::OfThisThread();
  if (context.has_value()) context->Log(line, "", kind);
  return context.has_value();
}

void Handle(google::protobuf::LogLevel level, const char* file, int line,
            const std::string& message) {
  constexpr char kOwnProtocol[] = "'trolley.control.v1.";
  // After a fatal one the process ends, and a queue is not written any more.
  if (level != google::protobuf::LOGLEVEL_FATAL &&
      LogToBus(absl::StrCat("libprotobuf: ", message), {file, line})) {
    return;
  }
  // What a client of the control service sends is answered, and no line.
  if (level == google::protobuf::LOGLEVEL_ERROR &&
      absl::StrContains(message, kOwnProtocol)) {
    return;
  }
  if (google::protobuf::LogHandler* before = handler_before.load()) {
    before(level, file, line, message);
  }
}

}  // namespace

void RouteProtobufLog() {
  std::call_once(routed, [] {
    handler_before = google::protobuf::SetLogHandler(&Handle);
  });
}

ProtobufLogScope::ProtobufLogScope(const Bus& bus)
    : outer_(std::exchange(scope, &bus)) {}

ProtobufLogScope::~ProtobufLogScope() { scope = outer_; }

}  // namespace trolley::internal
