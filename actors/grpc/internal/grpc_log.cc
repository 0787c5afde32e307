// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/grpc_log.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "trolley/bus/thread/monitor.h"
#include "trolley/poller/printable.h"
#include "trolley/poller/sys.h"

namespace trolley::internal {
namespace {

// Does not wait: the process must end also if nobody reads standard error.
void WriteToStandardErrorNow(absl::string_view line) {
  Sys& sys = RealSys();
  const std::string text = absl::StrCat("trolley: ", line, "\n");
  pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  const timespec now = {};
  if (sys.Ppoll(absl::MakeSpan(&room, 1), &now) == 1) {
    sys.Write(STDERR_FILENO, text);
  }
}

}  // namespace

struct GrpcLog::All {
  Monitor monitor;
  std::vector<GrpcLog*> list ABSL_GUARDED_BY(monitor);  // the oldest first
};

// Of the process, as gRPC has one log function. Threads of gRPC may log while
// the process ends, so it is never destroyed.
GrpcLog::All& GrpcLog::all() {
  static All& all = *new All;
  return all;
}

void GrpcLog::Handle(gpr_log_func_args* line) {
  GrpcLog* log = AcquireOldest();
  if (log == nullptr) {
    // The last one ended just now, and gRPC has its own function again.
    gpr_log_message(line->file, line->line, line->severity, line->message);
    return;
  }
  const absl::string_view path = line->file;
  const std::string place =
      absl::StrCat(path.substr(path.rfind('/') + 1), ":", line->line);
  const std::string text =
      absl::StrCat("gRPC, ", place, ": ", Printable(line->message));
  log->bus_.Log(text, place);
  log->Release();
  if (absl::StartsWith(line->message, "assertion failed: ")) {
    WriteToStandardErrorNow(text);
  }
}

GrpcLog* GrpcLog::AcquireOldest() {
  All& all = GrpcLog::all();
  MonitorLock lock(&all.monitor);
  if (all.list.empty()) return nullptr;
  ++all.list.front()->writers_;
  return all.list.front();
}

void GrpcLog::Release() {
  All& all = GrpcLog::all();
  MonitorLock lock(&all.monitor);
  if (--writers_ == 0) all.monitor.Notify();
}

GrpcLog::GrpcLog(const Bus& bus) : bus_(bus) {
  All& all = GrpcLog::all();
  MonitorLock lock(&all.monitor);
  all.list.push_back(this);
  if (all.list.size() == 1) gpr_set_log_function(&GrpcLog::Handle);
}

GrpcLog::~GrpcLog() {
  All& all = GrpcLog::all();
  MonitorLock lock(&all.monitor);
  all.list.erase(std::find(all.list.begin(), all.list.end(), this));
  if (all.list.empty()) gpr_set_log_function(nullptr);
  all.monitor.WaitUntil(Instant::Infinite(), [this] { return writers_ == 0; });
}

}  // namespace trolley::internal
