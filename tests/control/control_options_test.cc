// SPDX-License-Identifier: Apache-2.0
//
// The control service with extreme options, and in a process without standard
// descriptors.

#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/grpc/control_service.h"
#include "trolley/proto/control.grpc.pb.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/control/running_bus.h"

namespace trolley::test {
namespace {

namespace v1 = control::v1;

// Starts a service and calls it once.
absl::Status UseControl(ControlOptions options, const SocketFolder& folder) {
  auto bus = Bus::Create({});
  if (!bus.ok()) return bus.status();
  options.path = folder.path();
  auto control = ControlService::Start(**bus, options);
  if (!control.ok()) return control.status();
  const auto channel = grpc::CreateChannel((*control)->address(),
                                           grpc::InsecureChannelCredentials());
  const auto stub = v1::Inspector::NewStub(channel);
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  v1::ServerInfo server;
  const grpc::Status called =
      stub->GetServerInfo(&context, v1::GetServerInfoRequest(), &server);
  EXPECT_TRUE(called.ok()) << called.error_message();
  return absl::OkStatus();
}

// First: gRPC does not like a fork after it has begun.
TEST(ControlOptionsTest, P11_NoDescriptorOfAServiceIs0To2) {
  const auto is_closed = [](int fd) {
    char byte = 0;
    return ::read(fd, &byte, 0) < 0 && ::write(fd, &byte, 0) < 0;
  };
  for (int closed = 1; closed < 8; ++closed) {
    const SocketFolder folder;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto as_it_was = [&] {
        for (int fd = 0; fd <= 2; ++fd) {
          if ((closed & 1 << fd) != 0 && !is_closed(fd)) return false;
        }
        return true;
      };
      for (int fd = 0; fd <= 2; ++fd) {
        if ((closed & 1 << fd) != 0) ::close(fd);
      }
      auto bus = Bus::Create({});
      ControlOptions options;
      options.path = folder.path();
      auto control = ControlService::Start(**bus, options);
      if (!control.ok()) ::_exit(1);
      if (!as_it_was()) ::_exit(2);
      (*control)->Stop();
      if (!as_it_was()) ::_exit(3);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "closed: " << closed << ", status " << status;
  }
}

TEST(ControlOptionsTest, EveryNumberWorksOrIsRefusedByName) {
  const SocketFolder folder;
  AtExtremes<ControlOptions>(
      [](ControlOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, path, socket_mode, allowed_uids, version, tree,
                       loop, max_connections, max_connections_per_user,
                       max_calls_per_connection, max_message_bytes,
                       handshake_timeout, idle_timeout, default_deadline,
                       longest_deadline);
      },
      [&](const ControlOptions& options) {
        if (options.socket_mode == 0 || options.socket_mode == 1) {
          // Root may connect, its owner may not: that is what it says.
          if (::geteuid() != 0) return absl::OkStatus();
        }
        return UseControl(options, folder);
      });
}

}  // namespace
}  // namespace trolley::test
