// SPDX-License-Identifier: Apache-2.0
//
// What links over TLS have and others have not: certificates, good and bad, who
// the peer is, what it may do, and peers that speak without TLS.

#include "trolley/actors/tls/tls_link.h"

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/tls/tls_listener.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/certificates.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"

namespace trolley::links_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const Transport& kTcp4 = TransportNamed("tcp4");

std::string TextOf(const absl::Status& status) {
  return std::string(status.message());
}

class TlsLinkTest : public LinkTest {
 protected:
  TlsLinkTest() : LinkTest(kTcp4), authority_(folder_.path(), "authority") {
    authority_.Issue("server", {.names = {"IP:127.0.0.1", "DNS:server.test"}});
    authority_.Issue(
        "client", {.names = {"DNS:client.test", "URI:spiffe://test/client"}});
  }
  ~TlsLinkTest() override {
    StopClient();
    StopServer();
  }

  TlsOptions TlsOf(const std::string& name) {
    return {.certificate_file = authority_.CertificateOf(name),
            .key_file = authority_.KeyOf(name),
            .trusted_file = authority_.certificate()};
  }
  TlsListenerOptions ListenOptions() {
    TlsListenerOptions options;
    options.link = PatientLink();
    options.tls = TlsOf("server");
    return options;
  }
  TlsLinkOptions DialOptions() {
    TlsLinkOptions options;
    static_cast<LinkOptions&>(options) = PatientLink();
    options.reconnect = false;
    options.tls = TlsOf("client");
    return options;
  }

  // A bus whose log the test reads.
  std::unique_ptr<Bus> LoggingBus() {
    BusOptions options;
    options.log = [this](absl::string_view line) {
      const absl::MutexLock lock(&mutex_);
      absl::StrAppend(&log_, line, "\n");
    };
    return *Bus::Create(std::move(options));
  }
  std::string Log() {
    const absl::MutexLock lock(&mutex_);
    return log_;
  }
  void AwaitLog(absl::string_view text) {
    AskUntil(
        [this] { return Log(); },
        [&](const std::string& log) { return absl::StrContains(log, text); });
  }

  void StartTlsServer(TlsListenerOptions options) {
    server_ = LoggingBus();
    sink_ = SpawnOn<Sink>(*server_, {.name = "sink"});
    server_watcher_ = SpawnOn<Watcher>(*server_, {.name = "watcher"});
    options.link.watcher = server_watcher_;
    auto socket = ListenTcp(RealSys(), endpoint_);
    ASSERT_TRUE(socket.ok()) << socket.status();
    listener_ = SpawnOn<TlsListener>(*server_, {.name = "tls"},
                                     *std::move(socket), options);
  }
  void Dial(TlsLinkOptions options, const std::string& endpoint = "") {
    if (client_ == nullptr) {
      client_ = LoggingBus();
      client_watcher_ = SpawnOn<Watcher>(*client_, {.name = "watcher"});
    }
    options.watcher = client_watcher_;
    link_ = SpawnOn<TlsLink>(*client_, {},
                             endpoint.empty() ? endpoint_ : endpoint, options);
  }
  LinkUp DialGood(TlsLinkOptions options) {
    Dial(std::move(options));
    return NextUpOf(client_watcher_);
  }
  LinkDown DialBad(TlsLinkOptions options, const std::string& endpoint = "") {
    Dial(std::move(options), endpoint);
    const LinkDown down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, LinkEnd::kHandshake) << down.reason;
    return down;
  }

  Authority authority_;
  absl::Mutex mutex_;
  std::string log_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(TlsLinkTest, BothSidesLearnTheNameInTheCertificateOfTheOther) {
  StartTlsServer(ListenOptions());
  const LinkUp up = DialGood(DialOptions());
  EXPECT_EQ(up.peer_identity, "server.test");
  EXPECT_EQ(NextUpOf(server_watcher_).peer_identity, "spiffe://test/client");
  const auto sink = SpawnOn<Remote<Numbers>>(*client_, {}, link_, "sink");
  EXPECT_EQ(sink.AskAndWait(AskOf(5), kLong)->value(), 5u);
}

TEST_F(TlsLinkTest, P12_AMessageLongerThanManyRecordsArrivesWhole) {
  StartTlsServer(ListenOptions());
  DialGood(DialOptions());
  const auto sink = SpawnOn<Remote<Numbers>>(*client_, {}, link_, "sink");
  for (const size_t bytes : {1, 16'383, 16'384, 16'385, 700'000}) {
    Ask ask = AskOf(1);
    ask.set_answer_bytes(bytes);
    const auto answer = sink.AskAndWait(ask, kLong);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->filler(), std::string(bytes, 'a'));
  }
}

// --- Certificates ----------------------------------------------------------

struct BadCertificate {
  const char* name;
  CertificateOptions options;
  bool other_authority;
  bool revoked;
  const char* ours;    // what the side says that looks at it
  const char* theirs;  // and what the other side hears
};

std::vector<BadCertificate> BadCertificates() {
  const std::vector<std::string> good = {"IP:127.0.0.1"};
  return {
      {"expired",
       {.names = good, .begins = -absl::Hours(2), .ends = -absl::Hours(1)},
       false,
       false,
       "certificate has expired",
       "alert certificate expired"},
      {"not yet valid",
       {.names = good, .begins = absl::Hours(1), .ends = absl::Hours(2)},
       false,
       false,
       "certificate is not yet valid",
       "alert bad certificate"},
      {"self-signed",
       {.names = good, .signs_itself = true},
       false,
       false,
       "self-signed certificate",
       "alert unknown ca"},
      {"of an authority that nobody knows",
       {.names = good},
       true,
       false,
       "unable to get local issuer certificate",
       "alert unknown ca"},
      {"revoked",
       {.names = good},
       false,
       true,
       "certificate revoked",
       "alert certificate revoked"},
  };
}

TEST_F(TlsLinkTest, P14_ALinkTrustsNoBadCertificateAndSaysWhy) {
  Authority other(folder_.path(), "other");
  for (const BadCertificate& bad : BadCertificates()) {
    SCOPED_TRACE(bad.name);
    (bad.other_authority ? other : authority_).Issue("bad", bad.options);
    authority_.WriteRevoked(bad.revoked ? std::vector<std::string>{"bad"}
                                        : std::vector<std::string>{});
    TlsListenerOptions listening = ListenOptions();
    listening.tls = TlsOf("bad");
    StartTlsServer(listening);
    TlsLinkOptions dialling = DialOptions();
    dialling.tls.revoked_file = authority_.revoked();
    const LinkDown down = DialBad(dialling);
    EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(TextOf(down.reason), HasSubstr(bad.ours));
    EXPECT_THAT(TextOf(down.reason), HasSubstr("127.0.0.1"));
    const LinkDown theirs = NextDownOf(server_watcher_);
    EXPECT_EQ(theirs.end, LinkEnd::kHandshake);
    EXPECT_THAT(TextOf(theirs.reason), HasSubstr(bad.theirs));
    StopServer();
  }
}

TEST_F(TlsLinkTest, P14_AListenerTrustsNoBadCertificateAndThePeerHearsIt) {
  Authority other(folder_.path(), "other");
  for (const BadCertificate& bad : BadCertificates()) {
    SCOPED_TRACE(bad.name);
    (bad.other_authority ? other : authority_).Issue("bad", bad.options);
    authority_.WriteRevoked(bad.revoked ? std::vector<std::string>{"bad"}
                                        : std::vector<std::string>{});
    TlsListenerOptions listening = ListenOptions();
    listening.tls.revoked_file = authority_.revoked();
    StartTlsServer(listening);
    TlsLinkOptions dialling = DialOptions();
    dialling.tls = TlsOf("bad");
    const LinkDown down = DialBad(dialling);
    EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(TextOf(down.reason), HasSubstr(bad.theirs));
    const LinkDown theirs = NextDownOf(server_watcher_);
    EXPECT_EQ(theirs.end, LinkEnd::kHandshake);
    EXPECT_EQ(theirs.reason.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(TextOf(theirs.reason), HasSubstr(bad.ours));
    StopServer();
  }
}

TEST_F(TlsLinkTest, P14_ACertificateWithOtherNamesIsNotThatOfTheHost) {
  authority_.Issue("server", {.names = {"DNS:elsewhere.test"}});
  StartTlsServer(ListenOptions());
  const LinkDown down = DialBad(DialOptions());
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_THAT(TextOf(down.reason),
              HasSubstr("it must have 127.0.0.1, and has elsewhere.test"));
  TlsLinkOptions named = DialOptions();
  named.peer_name = "elsewhere.test";
  EXPECT_EQ(DialGood(named).peer_identity, "elsewhere.test");
}

TEST_F(TlsLinkTest, P14_APeerWithoutACertificateConnectsOnlyIfItMay) {
  StartTlsServer(ListenOptions());
  TlsLinkOptions nameless = DialOptions();
  nameless.tls.certificate_file = nameless.tls.key_file = "";
  EXPECT_THAT(TextOf(DialBad(nameless).reason),
              HasSubstr("alert certificate required"));
  StopServer();

  TlsListenerOptions open = ListenOptions();
  open.peers_need_certificates = false;
  StartTlsServer(open);
  DialGood(nameless);
  EXPECT_EQ(NextUpOf(server_watcher_).peer_identity, "127.0.0.1");
}

TEST_F(TlsLinkTest, P14_OnlyTheNamesThatAreAllowedMayConnectOrAreTalkedTo) {
  TlsListenerOptions listening = ListenOptions();
  listening.tls.allowed_names = {"another.test", "spiffe://test/client"};
  StartTlsServer(listening);
  DialGood(DialOptions());
  authority_.Issue("stranger", {.names = {"DNS:stranger.test"}});
  TlsLinkOptions stranger = DialOptions();
  stranger.tls = TlsOf("stranger");
  const LinkDown down = DialBad(stranger);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(TextOf(down.reason), HasSubstr("stranger.test may not connect"));

  TlsLinkOptions choosy = DialOptions();
  choosy.tls.allowed_names = {"another.test"};
  EXPECT_EQ(DialBad(choosy).reason.code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(TlsLinkTest, P14_TheProgramDecidesWithTheNamesOfThePeer) {
  TlsListenerOptions listening = ListenOptions();
  std::vector<std::string> seen;
  listening.tls.authorize = [&](const TlsPeer& peer) {
    seen = peer.names;
    EXPECT_THAT(peer.address, HasSubstr("127.0.0.1:"));
    return absl::PermissionDeniedError("not\ntoday");
  };
  StartTlsServer(listening);
  const LinkDown down = DialBad(DialOptions());
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(TextOf(down.reason), HasSubstr("today"));
  EXPECT_THAT(TextOf(NextDownOf(server_watcher_).reason),
              HasSubstr("not\\x0atoday"));
  StopServer();
  EXPECT_THAT(seen, ElementsAre("spiffe://test/client", "client.test"));
}

TEST_F(TlsLinkTest, P13_NewFilesAreUsedWithoutARestart) {
  TlsListenerOptions listening = ListenOptions();
  listening.tls.reload_interval = absl::ZeroDuration();
  StartTlsServer(listening);
  DialGood(DialOptions());
  authority_.Issue("server", {.names = {"IP:127.0.0.1", "DNS:renewed.test"}});
  EXPECT_EQ(DialGood(DialOptions()).peer_identity, "renewed.test");

  // Files that are not valid change nothing, and are said once.
  std::FILE* const file =
      std::fopen(authority_.CertificateOf("server").c_str(), "w");
  std::fputs("not a certificate", file);
  std::fclose(file);
  EXPECT_EQ(DialGood(DialOptions()).peer_identity, "renewed.test");
  AwaitLog("the certificates stay as they were: TlsOptions::certificate_file");
}

TEST_F(TlsLinkTest, P13_FilesThatCannotBeUsedAreNamedAndNothingStarts) {
  authority_.Issue("another", {});
  struct Case {
    const char* what;
    TlsOptions tls;
    const char* said;
  };
  const auto with = [&](auto change) {
    TlsOptions tls = TlsOf("client");
    change(tls);
    return tls;
  };
  const std::string none = folder_ / "none";
  const Case cases[] = {
      {"no authority", with([](TlsOptions& o) { o.trusted_file = ""; }),
       "TlsOptions::trusted_file is empty"},
      {"no key", with([](TlsOptions& o) { o.key_file = ""; }),
       "TlsOptions::key_file is empty"},
      {"no certificate", with([](TlsOptions& o) { o.certificate_file = ""; }),
       "TlsOptions::certificate_file is empty"},
      {"an empty name", with([](TlsOptions& o) { o.allowed_names = {""}; }),
       "TlsOptions::allowed_names"},
      {"a negative time",
       with([](TlsOptions& o) { o.reload_interval = -absl::Seconds(1); }),
       "TlsOptions::reload_interval"},
      {"no such authority", with([&](TlsOptions& o) { o.trusted_file = none; }),
       "TlsOptions::trusted_file: "},
      {"no such certificate",
       with([&](TlsOptions& o) { o.certificate_file = none; }),
       "TlsOptions::certificate_file: "},
      {"no such key", with([&](TlsOptions& o) { o.key_file = none; }),
       "TlsOptions::key_file: "},
      {"the key of another",
       with([&](TlsOptions& o) { o.key_file = authority_.KeyOf("another"); }),
       "TlsOptions::key_file: "},
      {"a list that is none", with([&](TlsOptions& o) {
         o.revoked_file = authority_.CertificateOf("another");
       }),
       "TlsOptions::revoked_file: "},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    TlsLinkOptions dialling = DialOptions();
    dialling.tls = each.tls;
    Dial(dialling);
    const LinkDown down = NextDownOf(client_watcher_);
    EXPECT_EQ(down.end, LinkEnd::kNoConnection);
    EXPECT_EQ(down.reason.code(), absl::StatusCode::kInvalidArgument)
        << down.reason;
    EXPECT_THAT(TextOf(down.reason), HasSubstr(each.said));

    TlsListenerOptions listening = ListenOptions();
    listening.tls = each.tls;
    StartTlsServer(listening);
    AwaitEnd(listener_.address());
    EXPECT_THAT(Log(), HasSubstr(each.said));
    StopServer();
  }
}

// --- Peers that are not of TLS, or not of a link ---------------------------

TEST_F(TlsLinkTest, P14_APlainPeerAtAPortOfTlsIsNamed) {
  StartTlsServer(ListenOptions());
  {
    RawPeer peer(endpoint_);
    peer.Say(GoodHello());
    peer.ReadToTheEnd();
  }
  AwaitLog("the peer does not speak TLS: it is a link without TLS");
  {
    RawPeer peer(endpoint_);
    peer.Say("GET / HTTP/1.1\r\n\r\n");
    peer.ReadToTheEnd();
  }
  AwaitLog("the peer does not speak TLS: its first bytes are 47455420");
  DialGood(DialOptions());  // others are not hurt
}

TEST_F(TlsLinkTest, P14_APlainServerIsNamedByALinkOfTls) {
  StartServer();  // without TLS
  const LinkDown down = DialBad(DialOptions());
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(TextOf(down.reason),
              HasSubstr("the peer does not speak TLS: it is a link without "
                        "TLS"));
}

// A client of OpenSSL, made by hand. Returns whether its handshake succeeded.
class HandMade {
 public:
  HandMade(const std::string& endpoint, const TlsOptions& tls)
      : at_(endpoint), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_use_certificate_chain_file(context_, tls.certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context_, tls.key_file.c_str(),
                                SSL_FILETYPE_PEM);
  }
  ~HandMade() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    if (fd_ >= 0) ::close(fd_);
  }
  HandMade(const HandMade&) = delete;
  HandMade& operator=(const HandMade&) = delete;

  SSL_CTX* context() { return context_; }
  SSL* ssl() { return ssl_; }
  bool Connect() {
    fd_ = at_.NewSocket();
    if (::connect(fd_, at_.get(), at_.size) != 0) return false;
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    return SSL_connect(ssl_) == 1;
  }

 private:
  const SocketAddress at_;
  SSL_CTX* const context_;
  SSL* ssl_ = nullptr;
  int fd_ = -1;
};

TEST_F(TlsLinkTest, P14_OlderVersionsOfTlsAreRefused) {
  StartTlsServer(ListenOptions());
  HandMade old(endpoint_, TlsOf("client"));
  SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  EXPECT_FALSE(old.Connect());
  AwaitLog("unsupported protocol");
}

TEST_F(TlsLinkTest, P14_APeerThatWantsAnotherProtocolIsRefused) {
  StartTlsServer(ListenOptions());
  HandMade browser(endpoint_, TlsOf("client"));
  SSL_CTX_set_alpn_protos(browser.context(),
                          reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  EXPECT_FALSE(browser.Connect());
  AwaitLog("no application protocol");
}

// RFC 8446, section 4.6.3: each of these asks for an answer.
TEST_F(TlsLinkTest, P14_APeerThatChangesItsKeysAndDoesNotReadFillsNothing) {
  StartTlsServer(ListenOptions());
  HandMade peer(endpoint_, TlsOf("client"));
  ASSERT_TRUE(peer.Connect());
  const std::string hello = GoodHello();
  ASSERT_EQ(SSL_write(peer.ssl(), hello.data(), hello.size()),
            static_cast<int>(hello.size()));
  NextUpOf(server_watcher_);
  for (int i = 0; i < 20'000; ++i) {
    SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_REQUESTED);
    if (SSL_do_handshake(peer.ssl()) != 1) break;  // it has closed
  }
  DialGood(DialOptions());
}

TEST_F(TlsLinkTest, P15_ARecordThatWasChangedOnTheWayEndsTheLink) {
  StartTlsServer(ListenOptions());
  HandMade peer(endpoint_, TlsOf("client"));
  ASSERT_TRUE(peer.Connect());
  const std::string hello = GoodHello();
  SSL_write(peer.ssl(), hello.data(), hello.size());
  NextUpOf(server_watcher_);
  const std::string forged =
      std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x');
  ASSERT_EQ(::send(SSL_get_fd(peer.ssl()), forged.data(), forged.size(), 0),
            static_cast<ssize_t>(forged.size()));
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(down.end, LinkEnd::kBrokenRule);
  EXPECT_THAT(TextOf(down.reason), HasSubstr("decryption failed"));
}

// --- A program that is not ours --------------------------------------------

TEST_F(TlsLinkTest, OpensslTrustsTheListenerAndExchangesHellos) {
  if (::access("/usr/bin/openssl", X_OK) != 0) {
    GTEST_SKIP() << "this machine has no /usr/bin/openssl";
  }
  StartTlsServer(ListenOptions());
  const std::string hello = folder_ / "hello";
  std::FILE* const file = std::fopen(hello.c_str(), "w");
  std::fwrite(GoodHello().data(), 1, GoodHello().size(), file);
  std::fclose(file);
  const std::string command = absl::StrCat(
      "(cat ", hello, "; read -r line < ", folder_ / "fifo",
      ") | openssl s_client -connect ", endpoint_, " -tls1_3 -alpn trolley/1",
      " -verify_return_error -verify_ip 127.0.0.1 -nocommands -ign_eof",
      " -CAfile ", authority_.certificate(), " -cert ",
      authority_.CertificateOf("client"), " -key ", authority_.KeyOf("client"),
      " 2>&1");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  std::FILE* const client = ::popen(command.c_str(), "re");
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(NextUpOf(server_watcher_).peer_identity, "spiffe://test/client");
  StopServer();  // says GOAWAY and closes
  std::FILE* const fifo = std::fopen((folder_ / "fifo").c_str(), "w");
  std::fputs("\n", fifo);
  std::fclose(fifo);
  std::string said;
  char buffer[4096];
  size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof(buffer), client)) > 0) {
    said.append(buffer, n);
  }
  ::pclose(client);
  EXPECT_THAT(said, HasSubstr("Verify return code: 0 (ok)"));
  EXPECT_THAT(said, HasSubstr("ALPN protocol: trolley/1"));
  EXPECT_THAT(said, HasSubstr(std::string(wire::kHelloMagic)));
}

}  // namespace
}  // namespace trolley::links_test
