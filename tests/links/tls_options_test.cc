// SPDX-License-Identifier: Apache-2.0
//
// Every number and every length of time that TLS adds to the options of TCP, at
// its extremes. Each must work, or be refused with its name.

#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "trolley/actors/tls/tls_link.h"
#include "trolley/actors/tls/tls_listener.h"
#include "trolley/tests/bus/option_fields.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/use_options.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

absl::Status UseTls(const TlsListenerOptions& listening,
                    const TlsLinkOptions& dialling) {
  return UseOptions<TlsListener, TlsLink>(
      listening, ValidateTlsListenerOptions(listening), dialling,
      ValidateTlsLinkOptions(dialling));
}

TlsLinkOptions GoodLink() {
  TlsLinkOptions options;
  static_cast<LinkOptions&>(options) = PatientLink();
  options.tls = TestTls();
  return options;
}
TlsListenerOptions GoodListener() {
  TlsListenerOptions options;
  options.link = PatientLink();
  options.tls = TestTls();
  return options;
}

TEST(TlsOptionsTest, EveryNumberOfAListener) {
  AtExtremes<TlsListenerOptions>(
      [](TlsListenerOptions& o, auto visit) {
        VisitFields("peers_need_certificates", visit,
                    o.peers_need_certificates);
      },
      [](TlsListenerOptions options) {
        options.link = PatientLink();
        options.tls = TestTls();
        return UseTls(options, GoodLink());
      });
}

TEST(TlsOptionsTest, TheTimeThatALookIsGood) {
  ForEachExtreme("actors/tls/tls_options.h TlsOptions::reload_interval",
                 [](const Extreme& e) {
                   TlsLinkOptions dialling = GoodLink();
                   TlsListenerOptions listening = GoodListener();
                   dialling.tls.reload_interval = e.value;
                   const absl::Status dials = UseTls(GoodListener(), dialling);
                   listening.tls.reload_interval = e.value;
                   EXPECT_EQ(UseTls(listening, GoodLink()), dials);
                   if (e.value >= absl::ZeroDuration()) {
                     EXPECT_TRUE(dials.ok()) << dials;
                   } else {
                     EXPECT_TRUE(absl::StrContains(
                         dials.message(), "TlsOptions::reload_interval"))
                         << dials;
                   }
                 });
}

}  // namespace
}  // namespace trolley::links_test
