// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/list_children.h"

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "trolley/actors/grpc/internal/control_error.h"
#include "trolley/actors/grpc/internal/pages.h"
#include "trolley/actors/wire.h"
#include "trolley/poller/printable.h"

namespace trolley::internal {
namespace {

namespace v1 = control::v1;

v1::Child::State StateOf(ChildState state) {
  switch (state) {
    case ChildState::kWaiting:
      return v1::Child::WAITING;
    case ChildState::kStarting:
      return v1::Child::STARTING;
    case ChildState::kUp:
      return v1::Child::UP;
    case ChildState::kStopping:
      return v1::Child::STOPPING;
    case ChildState::kStuck:
      return v1::Child::STUCK;
    case ChildState::kEnded:
      return v1::Child::ENDED;
  }
  return v1::Child::STATE_UNSPECIFIED;
}

// What the bus knows of the actor, if one of that name runs.
void FillIn(const absl::StatusOr<WireTarget>& target, v1::Child& child) {
  if (!target.ok()) return;
  child.set_type(Printable(target->class_name()));
  child.set_loop(LoopName(target->address().id().loop()));
}

v1::Child RootOf(const Bus& bus, const std::string& name) {
  v1::Child root;
  root.set_name(name);
  root.set_supervisor(true);
  const absl::StatusOr<WireTarget> target = WireTarget::Find(bus, name);
  FillIn(target, root);
  if (!target.ok()) {
    root.set_state(v1::Child::ENDED);
    root.set_last_exit(Printable(target.status().message()));
  }
  return root;
}

v1::Child ToProto(const Bus& bus, const std::string& supervisor,
                  const ChildInfo& info) {
  v1::Child child;
  child.set_name(absl::StrCat(supervisor, "/", info.name));
  child.set_state(StateOf(info.state));
  child.set_restart_count(info.restarts);
  child.set_last_exit(Printable(info.last_exit.ToString()));
  child.set_supervisor(info.is_supervisor);
  // Without a seat, its name is free and may be that of another actor.
  if (info.address) FillIn(WireTarget::Find(bus, child.name()), child);
  return child;
}

// Adds the child. False: it does not fit into the response any more.
bool Add(v1::Child child, uint32_t most_bytes, size_t& bytes,
         v1::ListChildrenResponse& response) {
  bytes += child.ByteSizeLong() + kBytesAroundEntry;
  if (response.children_size() > 0 && bytes > most_bytes) return false;
  *response.add_children() = std::move(child);
  return true;
}

// `after`: how many roots were on the pages before.
void FillInRoots(const ControlState& state, uint64_t after, uint32_t most,
                 v1::ListChildrenResponse& response) {
  const std::vector<std::string>& roots = state.options.tree.roots;
  size_t bytes = kBytesAroundPage;
  for (; after < roots.size(); ++after) {
    if (static_cast<uint32_t>(response.children_size()) == most ||
        !Add(RootOf(state.bus, roots[after]), state.options.max_message_bytes,
             bytes, response)) {
      response.set_next_page_token(PageToken(absl::StrCat(after)));
      return;
    }
  }
}

void FillInChildren(const ControlState& state, const std::string& supervisor,
                    uint64_t after, const ChildrenPage& page,
                    v1::ListChildrenResponse& response) {
  v1::Child& self = *response.mutable_supervisor();
  self.set_name(supervisor);
  self.set_supervisor(true);
  self.set_state(StateOf(page.state));
  FillIn(WireTarget::Find(state.bus, supervisor), self);
  size_t bytes = kBytesAroundPage + self.ByteSizeLong();
  for (const ChildInfo& info : page.children) {
    if (!Add(ToProto(state.bus, supervisor, info),
             state.options.max_message_bytes, bytes, response)) {
      response.set_next_page_token(PageToken(absl::StrCat(after)));
      return;
    }
    after = info.id;
  }
  if (page.next != 0) {
    response.set_next_page_token(PageToken(absl::StrCat(page.next)));
  }
}

grpc::Status IsLate(const std::string& supervisor) {
  return ControlError(
      v1::ASK_TIMEOUT,
      absl::StrCat("the supervisor \"", supervisor,
                   "\" did not reply in time, but its loop runs: it is being "
                   "restarted, or has many messages before this one"),
      {{"actor", supervisor}});
}

grpc::Status NotASupervisor(const std::string& actor, absl::string_view why) {
  return ControlError(v1::NOT_A_SUPERVISOR, why, {{"actor", actor}});
}

// The error of a supervisor that did not answer with a page.
grpc::Status NoPage(const absl::Status& error, const std::string& supervisor) {
  const Metadata actor = {{"actor", supervisor}};
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      return ControlError(v1::ACTOR_NOT_FOUND, error.message(), actor);
    case absl::StatusCode::kFailedPrecondition:
      return NotASupervisor(
          supervisor, absl::StrCat("\"", supervisor,
                                   "\" is no supervisor: ", error.message()));
    case absl::StatusCode::kResourceExhausted:
      return ControlError(v1::MAILBOX_FULL, error.message(), actor);
    case absl::StatusCode::kDeadlineExceeded:
      return IsLate(supervisor);
    case absl::StatusCode::kUnavailable:
      return ControlError(v1::DRAINING, error.message(), {});
    default:
      return HandlerFailed(supervisor, error);
  }
}

grpc::Status Check(const v1::ListChildrenRequest& request, uint64_t* after) {
  if (grpc::Status valid = CheckPageSize(request.page_size()); !valid.ok()) {
    return valid;
  }
  if (request.page_token().empty()) return grpc::Status::OK;
  const std::optional<std::string> plain = ReadPageToken(request.page_token());
  if (plain.has_value() && absl::SimpleAtoi(*plain, after)) {
    return grpc::Status::OK;
  }
  return NoPageToken();
}

// Asks the supervisor. `loop_runs` becomes true when its loop has come to what
// was posted to it before the ask.
void Ask(const std::shared_ptr<const ControlState>& state,
         const std::string& name, GetChildrenPage page, absl::Duration limit,
         const std::shared_ptr<std::atomic<bool>>& loop_runs,
         const OpenCall::Ptr& call) {
  if (grpc::Status valid = state->CheckName("supervisor", name); !valid.ok()) {
    return call->Fail(valid);
  }
  const absl::StatusOr<Address> found = state->bus.FindAddress(name);
  if (!found.ok()) return call->Fail(state->NoSuchActor(name));
  const TreeSource& tree = state->options.tree;
  if (tree.read == nullptr) {
    return call->Fail(NotASupervisor(
        name,
        "this program shows no supervisors: its ControlOptions::tree is not "
        "set"));
  }
  // It has the call, so a client that gives up and calls again cannot fill the
  // queue of the loop.
  state->bus.RunOnLoop(static_cast<int>(found->id().loop()),
                       [call, loop_runs] { loop_runs->store(true); });
  // The ask may live much longer than its call, so it has a weak pointer.
  tree.read(
      state->bus, name, page, limit,
      [state, name, after = page.after, weak = std::weak_ptr<OpenCall>(call)](
          absl::StatusOr<ChildrenPage> reply) {
        OpenCall::Ptr open = weak.lock();
        if (open == nullptr) return;
        if (!reply.ok()) return open->Fail(NoPage(reply.status(), name));
        // Not on the loop of the supervisor: it would take long.
        auto read = std::make_shared<const ChildrenPage>(*std::move(reply));
        state->answers->Set(
            absl::ZeroDuration(), [state, name, after, read, open] {
              open->Answer<v1::ListChildrenResponse>(
                  [&](v1::ListChildrenResponse& response) {
                    FillInChildren(*state, name, after, *read, response);
                    return grpc::Status::OK;
                  });
            });
      });
}

}  // namespace

grpc::ServerUnaryReactor* ListChildren(
    const std::shared_ptr<const ControlState>& state, const RawCall& raw) {
  const absl::Duration limit = state->LimitOf(*raw.context);
  const auto loop_runs = std::make_shared<std::atomic<bool>>(false);
  return Serve<v1::ListChildrenRequest>(
      *state, raw,
      [&](const v1::ListChildrenRequest& asked) {
        return [loop_runs, name = asked.supervisor()] {
          return loop_runs->load() ? IsLate(name) : LoopsAreBusy();
        };
      },
      [&](const v1::ListChildrenRequest& asked, const OpenCall::Ptr& call) {
        uint64_t after = 0;
        if (grpc::Status valid = Check(asked, &after); !valid.ok()) {
          return call->Fail(valid);
        }
        const uint32_t most = PageSizeOf(asked.page_size());
        if (!asked.supervisor().empty()) {
          return Ask(state, asked.supervisor(), {.after = after, .most = most},
                     limit, loop_runs, call);
        }
        call->Answer<v1::ListChildrenResponse>(
            [&](v1::ListChildrenResponse& response) {
              FillInRoots(*state, after, most, response);
              return grpc::Status::OK;
            });
      });
}

}  // namespace trolley::internal
