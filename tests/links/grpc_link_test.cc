// SPDX-License-Identifier: Apache-2.0
//
// Links over gRPC: their errors, hostile peers, and ends in every order. What
// they share with all links has transports_test.cc.

#include "trolley/actors/bridge/grpc_link.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bridge/bridge_service.h"
#include "trolley/proto/bridge.grpc.pb.h"
#include "trolley/tests/links/actors.h"
#include "trolley/tests/links/certificates.h"
#include "trolley/tests/links/grpc_server.h"
#include "trolley/tests/links/link_test.h"
#include "trolley/tests/links/raw_peer.h"
#include "trolley/tests/poller/extreme_durations.h"

namespace trolley::links_test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kPiece = 64 << 10;
const Transport& kOverGrpc = TransportNamed("grpc");

// A client of any kind: it calls the service itself.
class RawClient {
 public:
  explicit RawClient(const std::string& target,
                     grpc::ChannelArguments arguments = {})
      : channel_(NewChannel(target, std::move(arguments))),
        stub_(bridge::v1::Bridge::NewStub(channel_)),
        call_(stub_->Link(&context_)) {}

  bool Say(const std::string& bytes) {
    bridge::v1::Piece piece;
    piece.set_bytes(bytes);
    return call_->Write(piece);
  }
  void SayNoMore() { call_->WritesDone(); }
  void Cancel() { context_.TryCancel(); }
  // "": nothing more comes.
  std::string Read() {
    bridge::v1::Piece piece;
    return call_->Read(&piece) ? piece.bytes() : "";
  }
  // All that comes, and then how the call has ended.
  std::string ReadToTheEnd() {
    std::string all;
    for (std::string some = Read(); !some.empty(); some = Read()) all += some;
    return all;
  }
  grpc::Status Finish() { return call_->Finish(); }

 private:
  static std::shared_ptr<grpc::Channel> NewChannel(
      const std::string& target, grpc::ChannelArguments arguments) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<bridge::v1::Bridge::Stub> stub_;
  grpc::ClientContext context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<bridge::v1::Piece, bridge::v1::Piece>>
      call_;
};

class GrpcLinkTest : public LinkTest {
 protected:
  GrpcLinkTest() : LinkTest(kOverGrpc) {}

  std::string target() const { return "unix:" + WithoutPrefix(endpoint_); }
  GrpcServer& server() { return *GrpcServers().find(server_.get())->second; }

  // Of a link to `target` that was never there.
  LinkDown FirstDownOf(const std::string& target, GrpcLinkOptions options) {
    client_ = NewBus(*client_sys_);
    client_watcher_ = SpawnOn<Watcher>(*client_, {});
    options.watcher = client_watcher_;
    if (options.credentials == nullptr) {
      options.credentials = grpc::InsecureChannelCredentials();
    }
    SpawnOn<GrpcLink>(*client_, {}, target, options);
    const LinkDown down = NextDownOf(client_watcher_);
    StopClient();
    return down;
  }
  uint64_t OpenNow() {
    return listener_.AskAndWait(GetListenerStats{}, kLong).value().open;
  }
};

// --- Errors of a dial ------------------------------------------------------

TEST_F(GrpcLinkTest, WithoutAServerTheLinkSaysWhatGrpcSays) {
  const LinkDown down = FirstDownOf(target(), {});
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(down.reason.message()),
              HasSubstr("the bridge at " + target() + ": "));
}

TEST_F(GrpcLinkTest, AServerThatIsNoBridgeIsUnimplemented) {
  grpc::ServerBuilder builder;
  bridge::v1::Bridge::Service no_method;
  builder.AddListeningPort(target(), grpc::InsecureServerCredentials());
  builder.RegisterService(&no_method);
  const auto server = builder.BuildAndStart();
  const LinkDown down = FirstDownOf(target(), {});
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kUnimplemented)
      << down.reason;
  server->Shutdown();
}

TEST_F(GrpcLinkTest, AServerThatDoesNotAnswerIsGivenUp) {
  // The kernel connects, and no process accepts.
  SocketAddress at(WithoutPrefix(endpoint_));
  const ScopedFd listening(RealSys(), at.NewSocket());
  ASSERT_EQ(::bind(listening.get(), at.get(), at.size), 0);
  ASSERT_EQ(::listen(listening.get(), 8), 0);
  GrpcLinkOptions options;
  options.connect_timeout = absl::Milliseconds(50);
  const LinkDown down = FirstDownOf(target(), options);
  EXPECT_EQ(down.end, LinkEnd::kNoConnection);
  EXPECT_EQ(down.reason.code(), absl::StatusCode::kDeadlineExceeded)
      << down.reason;
}

TEST_F(GrpcLinkTest, WithoutCredentialsOrATargetTheLinkEnds) {
  client_ = NewBus(*client_sys_);
  client_watcher_ = SpawnOn<Watcher>(*client_, {});
  GrpcLinkOptions options;
  options.watcher = client_watcher_;
  SpawnOn<GrpcLink>(*client_, {}, target(), options);
  LinkDown down = NextDownOf(client_watcher_);
  EXPECT_TRUE(absl::IsInvalidArgument(down.reason)) << down.reason;
  EXPECT_THAT(std::string(down.reason.message()), HasSubstr("credentials"));
  AwaitEnd(down.link.address());
  options.credentials = grpc::InsecureChannelCredentials();
  for (const std::string& bad : {std::string(), std::string("a\0b", 3)}) {
    SpawnOn<GrpcLink>(*client_, {}, bad, options);
    down = NextDownOf(client_watcher_);
    EXPECT_TRUE(absl::IsInvalidArgument(down.reason)) << down.reason;
  }
}

TEST_F(GrpcLinkTest, EveryTimeOfAnAttempt) {
  StartServer();
  ForEachExtreme(
      "actors/bridge/grpc_link_options.h GrpcLinkOptions::connect_timeout",
      [&](const Extreme& e) {
        GrpcLinkOptions options;
        options.credentials = grpc::InsecureChannelCredentials();
        options.connect_timeout = e.value;
        const absl::Status valid = ValidateGrpcLinkOptions(options);
        EXPECT_EQ(valid.ok(), e.positive()) << valid;
        if (!e.positive()) {
          EXPECT_THAT(std::string(valid.message()),
                      HasSubstr("GrpcLinkOptions::connect_timeout"));
          EXPECT_EQ(FirstDownOf(target(), options).reason, valid);
          return;
        }
        // A shorter one may end before this machine has connected to itself.
        if (e.soon()) return;
        client_ = NewBus(*client_sys_);
        client_watcher_ = SpawnOn<Watcher>(*client_, {});
        options.watcher = client_watcher_;
        SpawnOn<GrpcLink>(*client_, {}, target(), options);
        NextUpOf(client_watcher_);
        StopClient();
      });
}

TEST_F(GrpcLinkTest, OptionsOfABridgeAreCheckedBeforeItIsMade) {
  server_ = NewBus(*server_sys_);
  BridgeOptions none;
  none.max_connections = 0;
  absl::Status made = BridgeService::Create(*server_, {}, none).status();
  EXPECT_THAT(std::string(made.message()), HasSubstr("max_connections"));
  BridgeOptions small;
  small.link.max_frame_bytes = 1;
  made = BridgeService::Create(*server_, {}, small).status();
  EXPECT_THAT(std::string(made.message()), HasSubstr("max_frame_bytes"));
}

// --- Who the peer is -------------------------------------------------------

std::string TextOf(const std::string& file) {
  std::ifstream in(file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

TEST_F(GrpcLinkTest, P14_ThePeerIsTheNameInItsCertificate) {
  TempFolder folder;
  Authority authority(folder.path(), "authority");
  authority.Issue("server", {.names = {"DNS:localhost"}});
  authority.Issue("client", {.names = {"DNS:alice.example"}});
  const std::string roots = TextOf(authority.certificate());
  grpc::SslServerCredentialsOptions serves(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  serves.pem_root_certs = roots;
  serves.pem_key_cert_pairs.push_back(
      {TextOf(authority.KeyOf("server")),
       TextOf(authority.CertificateOf("server"))});
  server_ = NewBus(*server_sys_);
  server_watcher_ = SpawnOn<Watcher>(*server_, {});
  BridgeOptions options;
  options.link = PatientLink();
  options.link.watcher = server_watcher_;
  auto over_tls = GrpcServer::Start(*server_, {}, "localhost:0", options,
                                    grpc::SslServerCredentials(serves));
  ASSERT_TRUE(over_tls.ok()) << over_tls.status();
  const std::string to = absl::StrCat("localhost:", (*over_tls)->port());

  grpc::SslCredentialsOptions dials;
  dials.pem_root_certs = roots;
  // Without a certificate it gets no link.
  GrpcLinkOptions nameless;
  nameless.credentials = grpc::SslCredentials(dials);
  EXPECT_EQ(FirstDownOf(to, nameless).reason.code(),
            absl::StatusCode::kUnavailable);

  dials.pem_private_key = TextOf(authority.KeyOf("client"));
  dials.pem_cert_chain = TextOf(authority.CertificateOf("client"));
  client_ = NewBus(*client_sys_);
  GrpcLinkOptions named;
  named.credentials = grpc::SslCredentials(dials);
  SpawnOn<GrpcLink>(*client_, {}, to, named);
  EXPECT_EQ(NextUpOf(server_watcher_).peer_identity, "alice.example");
  StopClient();
  StopServer();
}

// --- Hostile clients -------------------------------------------------------

TEST_F(GrpcLinkTest, P14_PiecesThatBreakARuleEndTheirLink) {
  ServerOptions options = PatientListener();
  StartServer(options);
  const struct {
    const char* what;
    std::string piece;
    const char* error;
  } cases[] = {
      {"an empty piece", "", "BAD_LENGTH"},
      {"a piece that is a byte too long", std::string(kPiece + 1, 'x'),
       "BAD_LENGTH"},
      {"a piece that is far too long", std::string(kPiece + 1000, 'x'),
       "FRAME_TOO_LONG"},
      {"a piece that is no Hello", std::string(wire::kHelloBytes, 'x'),
       "BAD_MAGIC"},
  };
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.what);
    RawClient client(target());
    client.Say(bad.piece);
    const std::string said = client.ReadToTheEnd();
    ASSERT_GE(said.size(), wire::kHelloBytes);
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)), bad.error);
    client.Finish();
    EXPECT_EQ(LinkEndName(NextDownOf(server_watcher_).end),
              LinkEndName(LinkEnd::kHandshake));
    AwaitOpen(0);
  }
  // Behind a good handshake, too.
  RawClient client(target());
  client.Say(GoodHello());
  NextUpOf(server_watcher_);
  client.Say("");
  EXPECT_EQ(ErrorIn(client.ReadToTheEnd().substr(wire::kHelloBytes)),
            "BAD_LENGTH");
  EXPECT_EQ(LinkEndName(NextDownOf(server_watcher_).end),
            LinkEndName(LinkEnd::kBrokenRule));
}

TEST_F(GrpcLinkTest, P14_AMessageThatIsNoPieceEndsItsLink) {
  StartServer();
  grpc::GenericStub stub(
      grpc::CreateChannel(target(), grpc::InsecureChannelCredentials()));
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  auto call =
      stub.PrepareCall(&context, "/trolley.bridge.v1.Bridge/Link", &queue);
  void* tag;
  bool ok = false;
  call->StartCall(&context);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  const grpc::Slice slice(std::string("\xff\xff\xff"));
  const grpc::ByteBuffer bad(&slice, 1);
  call->Write(bad, &queue);
  ASSERT_TRUE(queue.Next(&tag, &ok) && ok);
  size_t pieces = 0;
  for (ok = true; ok; ++pieces) {
    grpc::ByteBuffer read;
    call->Read(&read, &queue);
    ASSERT_TRUE(queue.Next(&tag, &ok));
  }
  grpc::Status status;
  call->Finish(&status, &queue);
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("BAD_ENVELOPE"));
  AwaitOpen(0);
}

// gRPC takes what fits into its windows, and this process keeps two pieces.
TEST_F(GrpcLinkTest, P14_AClientThatNeverReadsCostsNoMemoryAndIsEnded) {
  ServerOptions options = PatientListener();
  options.link.write_deadline = absl::Milliseconds(100);
  StartServer(options);
  RawClient client(target());
  client.Say(GreedyHello());
  const LinkUp up = NextUpOf(server_watcher_);
  const Ref<Numbers> there =
      SpawnOn<Remote<Numbers>>(*server_, {}, up.link, "anybody");
  const Ref<Streamer> streamer = SpawnOn<Streamer>(
      *server_, {}, there, uint64_t{1'000'000'000}, size_t{10'000});
  const LinkDown down = NextDownOf(server_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kNotReading))
      << down.reason;
  EXPECT_LT(down.stats.bytes_out, 8u << 20);
  EXPECT_GT(down.stats.unsent, 0u);
  const Progress end = streamer.AskAndWait(WaitUntilDone{}, kLong).value();
  EXPECT_FALSE(end.status.ok());
  // It reads no goodbye either, and its call ends.
  AwaitOpen(0);
}

TEST_F(GrpcLinkTest, P12_ManyClientsThatNeverSendHoldUpNoOther) {
  constexpr int kSilent = 200;
  ServerOptions options = PatientListener();
  options.link.handshake_deadline = absl::Milliseconds(200);
  options.link.watcher = {};
  StartServer(options);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < kSilent; ++i) {
    silent.push_back(std::make_unique<RawClient>(target()));
    if (i == kSilent / 2) {
      StartClient();
      EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
    }
  }
  for (auto& client : silent) {
    const std::string said = client->ReadToTheEnd();
    ASSERT_GE(said.size(), wire::kHelloBytes);
    EXPECT_EQ(ErrorIn(said.substr(wire::kHelloBytes)), "HANDSHAKE_TIMEOUT");
    EXPECT_TRUE(client->Finish().ok());
  }
  AwaitOpen(1);
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
}

TEST_F(GrpcLinkTest, P14_AClientThatCancelsEndsItsLinkAlone) {
  StartServer();
  StartClient();
  NextUpOf(server_watcher_);
  for (int i = 0; i < 20; ++i) {
    RawClient client(target());
    client.Say(GoodHello());
    NextUpOf(server_watcher_);
    // Half of a frame.
    if (i % 2 == 0) client.Say(Data(1, PutTo("sink", PutOf(1))).substr(0, 30));
    client.Cancel();
    const LinkDown down = NextDownOf(server_watcher_);
    EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kLost))
        << down.reason;
    EXPECT_EQ(down.stats.received, 0u);
  }
  AwaitOpen(1);
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
}

TEST_F(GrpcLinkTest, P14_AHalfCloseIsAClose) {
  StartServer();
  RawClient client(target());
  client.Say(GoodHello());
  NextUpOf(server_watcher_);
  client.SayNoMore();
  EXPECT_EQ(NextDownOf(server_watcher_).end, LinkEnd::kLost);
  client.ReadToTheEnd();
  EXPECT_TRUE(client.Finish().ok());
  AwaitOpen(0);
}

TEST_F(GrpcLinkTest, P14_ACallAboveTheLimitIsTurnedAway) {
  ServerOptions options = PatientListener();
  options.max_connections = 2;
  StartServer(options);
  RawClient first(target());
  RawClient second(target());
  for (RawClient* client : {&first, &second}) {
    ASSERT_EQ(client->Read().size(), wire::kHelloBytes);
  }
  RawClient third(target());
  ASSERT_EQ(third.Read(), "");
  const grpc::Status status = third.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("max_connections"));
  EXPECT_EQ(FirstDownOf(target(), {}).reason.code(),
            absl::StatusCode::kResourceExhausted);
  // When one has gone, there is room again.
  first.Cancel();
  AwaitOpen(1);
  StartClient();
  EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
}

// --- The end, in every order -----------------------------------------------

TEST_F(GrpcLinkTest, ACallToABusThatHasEndedIsToldThatItDrains) {
  StartServer();
  server_->Shutdown(absl::Seconds(10));
  RawClient client(target());
  EXPECT_EQ(client.Read(), "");
  const grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("DRAINING"));
  EXPECT_EQ(FirstDownOf(target(), {}).reason.code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(GrpcLinkTest, P13_ACallWhoseListenerEndsBeforeItsTurnIsEnded) {
  StartServer();
  const std::string busy = "unix:" + WithoutPrefix(NewEndpoint());
  // Its listener lives on a loop that does nothing else for a while.
  absl::Notification enter;
  absl::Notification leave;
  class Blocker : public Actor {
   public:
    Blocker(absl::Notification& enter, absl::Notification& leave)
        : enter_(enter), leave_(leave) {}
    void On(const Open&) {
      enter_.Notify();
      leave_.WaitForNotification();
    }

   private:
    absl::Notification& enter_;
    absl::Notification& leave_;
  };
  auto other = GrpcServer::Start(*server_, {.mailbox_capacity = 1}, busy, {});
  ASSERT_TRUE(other.ok()) << other.status();
  const auto blocker = SpawnOn<Blocker>(*server_, {}, enter, leave);
  blocker.Tell(Open{});
  enter.WaitForNotification();
  // The mailbox has room for one of the two. When the other one has been
  // refused, this one waits there.
  absl::Notification refused;
  std::atomic<int> ended = 0;
  grpc::StatusCode codes[2];
  std::vector<std::thread> clients;
  for (grpc::StatusCode& code : codes) {
    clients.emplace_back([&] {
      RawClient client(busy);
      client.ReadToTheEnd();
      code = client.Finish().error_code();
      if (ended.fetch_add(1) == 0) refused.Notify();
    });
  }
  refused.WaitForNotification();
  (*other)->bridge().listener().Stop();
  leave.Notify();
  for (std::thread& client : clients) client.join();
  EXPECT_THAT(codes, ::testing::UnorderedElementsAre(
                         grpc::StatusCode::RESOURCE_EXHAUSTED,
                         grpc::StatusCode::UNAVAILABLE));
}

TEST_F(GrpcLinkTest, ABridgeThatIsStoppedEndsItsLinksAndTheServerCanShutDown) {
  StartServer();
  StartClient();
  const Ref<Streamer> streamer = SpawnOn<Streamer>(
      *client_, {}, RemoteOf("sink"), uint64_t{1'000'000'000}, size_t{100});
  NextUpOf(client_watcher_);
  NextUpOf(server_watcher_);
  server().End();
  const LinkDown down = NextDownOf(client_watcher_);
  EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kLost));
  EXPECT_EQ(LinkEndName(NextDownOf(server_watcher_).end),
            LinkEndName(LinkEnd::kLost));
  StopClient();
  StopServer();
}

// Without Stop() of the bridge, and with a deadline that has passed.
TEST_F(GrpcLinkTest, AServerThatShutsDownFirstEndsItsLinks) {
  StartServer();
  StartClient();
  NextUpOf(client_watcher_);
  NextUpOf(server_watcher_);
  server().server().Shutdown(gpr_inf_past(GPR_CLOCK_MONOTONIC));
  EXPECT_EQ(NextDownOf(client_watcher_).end, LinkEnd::kLost);
  EXPECT_EQ(NextDownOf(server_watcher_).end, LinkEnd::kLost);
}

TEST_F(GrpcLinkTest, AClientBusThatShutsDownSaysGoodbye) {
  StartServer();
  for (int i = 0; i < 20; ++i) {
    StartClient();
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(1), kLong).ok());
    StopClient();
    const LinkDown down = NextDownOf(server_watcher_);
    EXPECT_EQ(LinkEndName(down.end), LinkEndName(LinkEnd::kGoAway))
        << down.reason;
  }
  AwaitOpen(0);
}

TEST_F(GrpcLinkTest, P15_ALinkThatEndsWhileItDialsCancelsItsCall) {
  // It accepts, and never answers.
  SocketAddress at(WithoutPrefix(endpoint_));
  const ScopedFd listening(RealSys(), at.NewSocket());
  ASSERT_EQ(::bind(listening.get(), at.get(), at.size), 0);
  ASSERT_EQ(::listen(listening.get(), 8), 0);
  client_ = NewBus(*client_sys_);
  GrpcLinkOptions options;
  options.credentials = grpc::InsecureChannelCredentials();
  options.connect_timeout = absl::Milliseconds(500);
  SpawnOn<GrpcLink>(*client_, {}, target(), options);
  const ScopedFd accepted(
      RealSys(), ::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  StopClient();
  // The channel has gone, too: the socket ends.
  std::string preface(1 << 16, '\0');
  ssize_t n;
  do {
    n = ::recv(accepted.get(), preface.data(), preface.size(), 0);
  } while (n > 0);
  EXPECT_EQ(n, 0);
}

TEST_F(GrpcLinkTest, P11_NoDescriptorIsLeftAfterManyConnections) {
  StartServer();
  int before = 0;
  for (int i = 0; i < 51; ++i) {
    StartClient();
    EXPECT_TRUE(RemoteOf("sink").AskAndWait(AskOf(i), kLong).ok());
    StopClient();
    NextDownOf(server_watcher_);
    AwaitOpen(0);
    if (i == 0) before = OpenDescriptors();
  }
  // gRPC closes its sockets a little later.
  AskUntil(
      [&] {
        server_->Inspect(kLong).IgnoreError();
        return OpenDescriptors();
      },
      [&](int open) { return open <= before; });
}

}  // namespace
}  // namespace trolley::links_test
