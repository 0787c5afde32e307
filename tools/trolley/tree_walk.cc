// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/tree_walk.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tools/trolley/call_limit.h"
#include "trolley/poller/clock.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

constexpr int kPageSize = 1000;
// 10000: more than the children of two large supervisors, and some megabytes.
constexpr int kDefaultNodes = 10000;
constexpr int kMostNodes = 1000000;

std::string StateName(v1::Child::State state) {
  if (state == v1::Child::STATE_UNSPECIFIED) return "unknown";
  std::string name = v1::Child::State_Name(state);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return std::tolower(c); });
  return name;
}

// Nothing answers where there is no object: an ask would wait for the next one.
bool HasObject(v1::Child::State state) {
  return state != v1::Child::WAITING && state != v1::Child::ENDED;
}

}  // namespace

TreeWalk::TreeWalk(const Client& client)
    : client_(&client), end_(MonotonicClock().Now() + client.timeout()) {}

absl::StatusOr<TreeWalk> TreeWalk::Create(const Client& client,
                                          const Arguments& arguments) {
  TreeWalk walk(client);
  walk.most_nodes_ = kDefaultNodes;
  if (arguments.has("limit") &&
      (!absl::SimpleAtoi(arguments.Get("limit"), &walk.most_nodes_) ||
       walk.most_nodes_ < 1 || walk.most_nodes_ > kMostNodes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--limit ", Printable(arguments.Get("limit"), 64),
                     " must be a number from 1 to ", kMostNodes));
  }
  const absl::StatusOr<absl::Duration> patience =
      arguments.GetDuration("patience", absl::Seconds(1));
  if (!patience.ok()) return patience.status();
  walk.patience_ = *patience;
  return walk;
}

absl::Duration TreeWalk::Left() const { return end_ - MonotonicClock().Now(); }

bool TreeWalk::IsFull() const { return report_.nodes_size() >= most_nodes_; }

grpc::Status TreeWalk::Fetch(const std::string& supervisor,
                             const std::string& token,
                             v1::ListChildrenResponse* page) {
  v1::ListChildrenRequest request;
  request.set_supervisor(supervisor);
  request.set_page_token(token);
  request.set_page_size(
      std::clamp(most_nodes_ - report_.nodes_size(), 1, kPageSize));
  grpc::ClientContext context;
  const CallLimit limit(is_reached_ ? std::min(patience_, Left()) : Left(),
                        context);
  is_reached_ = true;
  return client_->inspector().ListChildren(&context, request, page);
}

grpc::Status TreeWalk::FromRoots() {
  std::string token;
  do {
    if (IsFull() || (is_reached_ && Left() <= absl::ZeroDuration())) {
      report_.set_left_out(true);
      break;
    }
    v1::ListChildrenResponse page;
    if (grpc::Status read = Fetch("", token, &page); !read.ok()) {
      return read;
    }
    for (const v1::Child& root : page.children()) {
      if (grpc::Status visited = Visit(root, "", 0); !visited.ok()) {
        return visited;
      }
    }
    // Each page has an entry; a service that breaks this rule gets no further.
    if (page.children().empty()) break;
    token = page.next_page_token();
  } while (!token.empty());
  return grpc::Status::OK;
}

grpc::Status TreeWalk::From(const std::string& supervisor) {
  v1::ListChildrenResponse page;
  if (grpc::Status read = Fetch(supervisor, "", &page); !read.ok()) {
    return read;
  }
  page.mutable_supervisor()->set_name(supervisor);
  Add(page.supervisor(), "", 0);
  return VisitChildren(0, std::move(page));
}

TreeReport::Node& TreeWalk::Add(const v1::Child& child,
                                const std::string& parent, uint32_t depth) {
  Node& node = *report_.add_nodes();
  // A service may say anything, and nodes are kept.
  node.set_name(Printable(child.name()));
  node.set_type(Printable(child.type()));
  node.set_state(StateName(child.state()));
  node.set_loop(Printable(child.loop()));
  node.set_restart_count(child.restart_count());
  node.set_last_exit(Printable(child.last_exit()));
  node.set_supervisor(child.supervisor());
  node.set_parent(parent);
  node.set_depth(depth);
  return node;
}

std::string TreeWalk::WhyNot(const Node& node) const {
  if (node.depth() >= kMostDepth) {
    return absl::StrCat("it is more than ", kMostDepth, " levels deep");
  }
  if (stuck_loops_.count(node.loop()) > 0) {
    return absl::StrCat("its loop, ", node.loop(), ", did not answer before");
  }
  if (Left() <= absl::ZeroDuration()) return "--timeout is over";
  return "";
}

grpc::Status TreeWalk::Mark(Node& node, const grpc::Status& error) {
  const std::string reason = InfoOf(error).reason();
  const grpc::StatusCode code = error.error_code();
  // CallLimit has ended the call, before the service could say why.
  const bool cut_off =
      reason.empty() && (code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                         code == grpc::StatusCode::CANCELLED);
  // It did not come from the service, or is not about this supervisor.
  if ((reason.empty() && !cut_off) || reason == "DRAINING" ||
      reason == "TOO_MANY_CALLS" || reason == "BAD_REQUEST") {
    return error;
  }
  if ((reason == "LOOPS_BUSY" || cut_off) && !node.loop().empty()) {
    stuck_loops_.insert(node.loop());
  }
  node.set_state("no answer");
  node.set_error(cut_off ? absl::StrCat("no answer within ",
                                        absl::FormatDuration(patience_))
                         : Printable(error.error_message()));
  return grpc::Status::OK;
}

grpc::Status TreeWalk::Visit(const v1::Child& child, const std::string& parent,
                             uint32_t depth) {
  if (IsFull()) {
    report_.set_left_out(true);
    return grpc::Status::OK;
  }
  const int index = report_.nodes_size();
  Node& node = Add(child, parent, depth);
  if (!child.supervisor() || !HasObject(child.state())) {
    return grpc::Status::OK;
  }
  if (const std::string why = WhyNot(node); !why.empty()) {
    node.set_state("no answer");
    node.set_error(why);
    return grpc::Status::OK;
  }
  v1::ListChildrenResponse page;
  const grpc::Status read = Fetch(child.name(), "", &page);
  if (!read.ok()) return Mark(node, read);
  // The parent knows more of its state, but a root has none.
  if (child.state() == v1::Child::STATE_UNSPECIFIED) {
    node.set_state(StateName(page.supervisor().state()));
  }
  return VisitChildren(index, std::move(page));
}

grpc::Status TreeWalk::VisitChildren(int index, v1::ListChildrenResponse page) {
  const std::string name = report_.nodes(index).name();
  const uint32_t depth = report_.nodes(index).depth();
  while (true) {
    for (const v1::Child& child : page.children()) {
      if (grpc::Status visited = Visit(child, name, depth + 1); !visited.ok()) {
        return visited;
      }
    }
    const std::string token = page.next_page_token();
    if (token.empty() || page.children().empty()) return grpc::Status::OK;
    if (IsFull()) {
      report_.set_left_out(true);
      return grpc::Status::OK;
    }
    Node& node = *report_.mutable_nodes(index);
    if (Left() <= absl::ZeroDuration()) {
      node.set_error("--timeout is over; it has more children");
      return grpc::Status::OK;
    }
    page.Clear();
    const grpc::Status read = Fetch(name, token, &page);
    if (!read.ok()) return Mark(node, read);
  }
}

}  // namespace trolley::tools
