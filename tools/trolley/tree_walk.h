// SPDX-License-Identifier: Apache-2.0
//
// TreeWalk: reads the supervision trees of a program, one supervisor after the
// other. A supervisor that does not answer is marked, and the walk goes on.
//
//   absl::StatusOr<TreeWalk> walk = TreeWalk::Create(client, arguments);
//   if (!walk.ok()) return ReportUsage(walk.status());
//   grpc::Status read = walk->FromRoots();
//   if (read.ok()) Print(walk->report());
//
// Ownership: borrows the client; owns the report.
// Threads:   one.
// Bounds:    --limit nodes, each with some texts of 512 bytes; kMostDepth. The
//            walk ends at the client's timeout. It waits once for a loop that
//            is stuck, and not for each supervisor there.
// Ends:      when FromRoots() or From() returns. Call one of them, once.

#ifndef TROLLEY_TOOLS_TROLLEY_TREE_WALK_H_
#define TROLLEY_TOOLS_TROLLEY_TREE_WALK_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/trolley/arguments.h"
#include "tools/trolley/client.h"
#include "trolley/poller/instant.h"
#include "trolley/tools/trolley/tree_report.pb.h"

namespace trolley::tools {

class TreeWalk {
 public:
  // A name has at most 128 bytes and each level adds at least 2, so no deeper
  // tree is from a Trolleybus program.
  static constexpr uint32_t kMostDepth = 64;

  // Reads the options --limit and --patience. InvalidArgument: one of them is
  // wrong; the text says how.
  static absl::StatusOr<TreeWalk> Create(const Client& client,
                                         const Arguments& arguments);

  // Reads all trees, or that of one supervisor. An error: nothing can be shown.
  grpc::Status FromRoots();
  grpc::Status From(const std::string& supervisor);

  const TreeReport& report() const { return report_; }

 private:
  using Node = TreeReport::Node;

  explicit TreeWalk(const Client& client);

  absl::Duration Left() const;
  bool IsFull() const;
  // The first call may take all the time; it also waits for the connection. A
  // later one may take the patience.
  grpc::Status Fetch(const std::string& supervisor, const std::string& token,
                     v1::ListChildrenResponse* page);
  Node& Add(const v1::Child& child, const std::string& parent, uint32_t depth);
  // Adds the child and all below it.
  grpc::Status Visit(const v1::Child& child, const std::string& parent,
                     uint32_t depth);
  // The children of node `index`, from this page on.
  grpc::Status VisitChildren(int index, v1::ListChildrenResponse page);
  // Why the node's children are not asked for. Empty: they are.
  std::string WhyNot(const Node& node) const;
  // OK: marks the node. Not OK: the whole walk has failed.
  grpc::Status Mark(Node& node, const grpc::Status& error);

  const Client* client_;
  Instant end_;
  int most_nodes_ = 0;
  absl::Duration patience_;
  bool is_reached_ = false;  // a call has ended
  TreeReport report_;
  std::set<std::string> stuck_loops_;
};

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_TREE_WALK_H_
