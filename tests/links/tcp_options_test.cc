// SPDX-License-Identifier: Apache-2.0
//
// Every number and every length of time that TCP adds to the options of links,
// at its extremes. Each must work, or be refused with its name.

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/actors/tcp/tcp_link.h"
#include "trolley/actors/tcp/tcp_listener.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/use_options.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

absl::Status UseTcp(const TcpListenerOptions& listening,
                    const TcpLinkOptions& dialling) {
  return UseOptions<TcpListener, TcpLink>(
      listening, ValidateTcpListenerOptions(listening), dialling,
      ValidateTcpLinkOptions(dialling));
}

TEST(TcpOptionsTest, EveryNumberOfAListenSocket) {
  AtExtremes<TcpListenOptions>(
      [](TcpListenOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, backlog, v6_only);
      },
      [](const TcpListenOptions& options) {
        return ListenTcp(RealSys(), "127.0.0.1:0", options).status();
      });
}

TEST(TcpOptionsTest, EveryNumberOfASocket) {
  AtExtremes<TcpSocketOptions>(
      [](TcpSocketOptions& o, auto visit) {
        TROLLEY_FIELDS(o, visit, keepalive_idle, keepalive_interval,
                       keepalive_count, unacknowledged_limit);
      },
      [](const TcpSocketOptions& options) {
        TcpListenerOptions listening;
        TcpLinkOptions dialling;
        listening.socket = options;
        const absl::Status listens = UseTcp(listening, dialling);
        dialling.socket = options;
        const absl::Status dials = UseTcp({}, dialling);
        EXPECT_EQ(listens, dials);
        return dials;
      });
}

// A field that is not named here makes the struct longer.
static_assert(sizeof(TcpListenerOptions) ==
              sizeof(ListenerOptions) + sizeof(TcpListenerOptions::link) +
                  sizeof(TcpListenerOptions::socket) +
                  sizeof(TcpListenerOptions::allowed_networks) +
                  sizeof(size_t) + /*with padding*/ sizeof(size_t));

TEST(TcpOptionsTest, EveryNumberOfAListener) {
  AtExtremes<TcpListenerOptions>(
      [](TcpListenerOptions& o, auto visit) {
        VisitFields("max_connections_per_address, max_new_per_second", visit,
                    o.max_connections_per_address, o.max_new_per_second);
      },
      [](const TcpListenerOptions& options) { return UseTcp(options, {}); });
}

TEST(TcpOptionsTest, NetworksThatAreNoneAreRefused) {
  for (const char* bad :
       {"", "10.0.0.0", "10.0.0.0/33", "10.0.0.1/8", "fd00::/129",
        "example.com/8", "::ffff:10.0.0.0/104"}) {
    SCOPED_TRACE(bad);
    TcpListenerOptions options;
    options.allowed_networks = {"127.0.0.0/8", bad};
    const absl::Status used = UseTcp(options, {});
    EXPECT_EQ(used.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(absl::StrContains(used.message(),
                                  "TcpListenerOptions::allowed_networks"))
        << used;
  }
  TcpListenerOptions nobody;
  nobody.allowed_networks = {};
  EXPECT_EQ(UseTcp(nobody, {}).code(), absl::StatusCode::kInvalidArgument);
}

void ExpectNames(const absl::Status& error, const std::string& field) {
  EXPECT_TRUE(absl::IsInvalidArgument(error)) << error;
  EXPECT_TRUE(absl::StrContains(error.message(), field)) << error;
}

TEST(TcpOptionsTest, TimesOfALink) {
  ForEachExtreme("actors/tcp/tcp_link_options.h TcpLinkOptions::lookup_timeout",
                 [](const Extreme& e) {
                   TcpLinkOptions options;
                   options.lookup_timeout = e.value;
                   const absl::Status used = UseTcp({}, options);
                   if (e.positive()) {
                     EXPECT_TRUE(used.ok()) << used;
                   } else {
                     ExpectNames(used, "TcpLinkOptions::lookup_timeout");
                   }
                 });
  ForEachExtreme(
      "actors/tcp/tcp_link_options.h TcpLinkOptions::connect_timeout",
      [](const Extreme& e) {
        TcpLinkOptions options;
        options.connect_timeout = e.value;
        if (!e.positive()) {
          return ExpectNames(UseTcp({}, options),
                             "TcpLinkOptions::connect_timeout");
        }
        // A shorter one may end before this machine has connected to itself.
        EXPECT_TRUE(ValidateTcpLinkOptions(options).ok());
        if (!e.soon()) {
          EXPECT_TRUE(UseTcp({}, options).ok());
        }
      });
}

// Of the kernel's limits, only infinity is longer than all of them.
TEST(TcpOptionsTest, TimesOfASocket) {
  const auto expect = [](const Extreme& e, const TcpSocketOptions& socket,
                         bool may_be_infinite, const std::string& field) {
    TcpLinkOptions options;
    options.socket = socket;
    const absl::Status used = UseTcp({}, options);
    const bool infinite = e.value == absl::InfiniteDuration();
    if (e.positive() &&
        (e.value <= absl::Seconds(1) || (infinite && may_be_infinite))) {
      EXPECT_TRUE(used.ok()) << used;
    } else {
      ExpectNames(used, "TcpSocketOptions::" + field);
    }
  };
  ForEachExtreme(
      "actors/tcp/tcp_socket_options.h TcpSocketOptions::keepalive_idle",
      [&](const Extreme& e) {
        expect(e, {.keepalive_idle = e.value}, true, "keepalive_idle");
      });
  ForEachExtreme(
      "actors/tcp/tcp_socket_options.h TcpSocketOptions::keepalive_interval",
      [&](const Extreme& e) {
        expect(e, {.keepalive_interval = e.value}, false, "keepalive_interval");
      });
  ForEachExtreme(
      "actors/tcp/tcp_socket_options.h TcpSocketOptions::unacknowledged_limit",
      [&](const Extreme& e) {
        // A short one is only set: it would end a connection that is slow.
        if (e.positive() && e.soon()) {
          const auto socket = ListenTcp(RealSys(), "127.0.0.1:0");
          EXPECT_TRUE(SetTcpSocketOptions(RealSys(), socket->fd(),
                                          {.unacknowledged_limit = e.value})
                          .ok());
          return;
        }
        expect(e, {.unacknowledged_limit = e.value}, true,
               "unacknowledged_limit");
      });
}

}  // namespace
}  // namespace trolley::links_test
