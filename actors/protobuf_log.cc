// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/protobuf_log.h"

#include <google/protobuf/stubs/logging.h>

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "trolley/bus/loop.h"

namespace trolley {
namespace {

// Of the process, as libprotobuf has one handler for the process.
std::once_flag routed;
std::atomic<google::protobuf::LogHandler*> handler_before{nullptr};

thread_local constinit BusState* scope = nullptr;

BusState* BusOfThread() {
  if (scope != nullptr) return scope;
  Loop* loop = Loop::Current();
  return loop != nullptr ? &loop->bus() : nullptr;
}

void Handle(google::protobuf::LogLevel level, const char* file, int line,
            const std::string& message) {
  constexpr char kOwnProtocol[] = "'trolley.control.v1.";
  BusState* bus = BusOfThread();
  // After a fatal one the process ends, and a queue is not written any more.
  if (bus != nullptr && level != google::protobuf::LOGLEVEL_FATAL) {
    bus->Log(absl::StrCat("libprotobuf: ", message), "", {file, line});
  } else if (bus == nullptr && level == google::protobuf::LOGLEVEL_ERROR &&
             absl::StrContains(message, kOwnProtocol)) {
  } else if (google::protobuf::LogHandler* before = handler_before.load()) {
    before(level, file, line, message);
  }
}

}  // namespace

void RouteProtobufLog() {
  std::call_once(routed, [] {
    handler_before = google::protobuf::SetLogHandler(&Handle);
  });
}

ProtobufLogScope::ProtobufLogScope(BusState& bus)
    : outer_(std::exchange(scope, &bus)) {}

ProtobufLogScope::~ProtobufLogScope() { scope = outer_; }

}  // namespace trolley
