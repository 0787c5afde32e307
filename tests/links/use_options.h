// SPDX-License-Identifier: Apache-2.0
//
// UseOptions: tries the options of a listener and of a link, for tests that
// take each option to its extremes.
//
//   const absl::Status used = UseOptions<TcpListener, TcpLink>(
//       listening, ValidateTcpListenerOptions(listening), dialling,
//       ValidateTcpLinkOptions(dialling));
//
// Threads: the test's.

#ifndef TROLLEY_TESTS_LINKS_USE_OPTIONS_H_
#define TROLLEY_TESTS_LINKS_USE_OPTIONS_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "trolley/actors/bus.h"
#include "trolley/actors/tcp/tcp_socket.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"

namespace trolley::links_test {

// A listener over TCP and a link to it, until the link says that it is up.
// `listens` and `dials`: what the validation of the options says. Where it
// refuses them, the link must say the same, or the listener must end. Returns
// the first error of the two.
template <typename ListenerType, typename LinkType, typename ListenerOptionsOf,
          typename LinkOptionsOf>
absl::Status UseOptions(const ListenerOptionsOf& listening,
                        const absl::Status& listens, LinkOptionsOf dialling,
                        const absl::Status& dials) {
  // g++ 12 does not compile braces for these in a template.
  const std::unique_ptr<Bus> bus = *Bus::Create(BusOptions());
  const Ref<Watcher> watcher = *bus->Spawn<Watcher>(SpawnOptions());
  absl::StatusOr<TcpListenSocket> socket = ListenTcp(RealSys(), "127.0.0.1:0");
  if (!socket.ok()) return socket.status();
  const std::string at = socket->endpoint();
  const auto listener =
      *bus->Spawn<ListenerType>(SpawnOptions(), *std::move(socket), listening);
  if (!listens.ok()) {
    absl::Notification ended;
    listener.address().WhenEnded([&](const ActorEnd&) { ended.Notify(); });
    ended.WaitForNotification();
  } else {
    dialling.watcher = watcher;
    EXPECT_TRUE(bus->Spawn<LinkType>(SpawnOptions(), at, dialling).ok());
    if (dials.ok()) {
      NextUpOf(watcher);
    } else {
      EXPECT_EQ(NextDownOf(watcher).reason, dials);
    }
  }
  bus->Shutdown(absl::ZeroDuration());
  return listens.ok() ? dials : listens;
}

}  // namespace trolley::links_test

#endif  // TROLLEY_TESTS_LINKS_USE_OPTIONS_H_
