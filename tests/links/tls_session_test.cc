// SPDX-License-Identifier: Apache-2.0
//
// A session of TLS without sockets: what it says that the peer can open is what
// the peer can open, wherever the bytes are cut.

#include "trolley/actors/tls/internal/tls_session.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "trolley/actors/tls/internal/tls_credentials.h"
#include "trolley/tests/links/transport.h"

namespace trolley::links_test {
namespace {

using internal::TlsCredentials;
using internal::TlsRole;
using internal::TlsSession;

class TlsSessionTest : public testing::Test {
 protected:
  void SetUp() override {
    TlsCredentials ours(TestTls(), TlsRole::kLink);
    TlsCredentials theirs(TestTls(), TlsRole::kStrictListener);
    link_ = *TlsSession::Dial(NewSsl(ours), TestTls(), "127.0.0.1");
    listener_ = *TlsSession::Accept(NewSsl(theirs), TestTls());
    for (bool done = false; !done;) {
      const bool dialled = *link_->Shake();
      Carry(*link_, *listener_);
      done = *listener_->Shake() && dialled;
      Carry(*listener_, *link_);
    }
  }

  static internal::SslPtr NewSsl(TlsCredentials& credentials) {
    EXPECT_TRUE(credentials.Load().ok());
    return *credentials.NewSsl(RealSys(), Instant(), [](absl::string_view) {});
  }

  // Takes the first `bytes` of what `from` has to say to `to`. Returns how many
  // bytes of the link `from` says that `to` can open with them.
  static size_t Carry(LinkSession& from, LinkSession& to, size_t bytes) {
    const absl::Span<const char> sealed = from.sealed();
    const absl::Span<char> room = to.PrepareRead();
    bytes = std::min({bytes, sealed.size(), room.size()});
    std::memcpy(room.data(), sealed.data(), bytes);
    to.Commit(bytes);
    return from.Wrote(bytes);
  }
  static void Carry(LinkSession& from, LinkSession& to) {
    while (!from.sealed().empty()) Carry(from, to, from.sealed().size());
  }
  static std::string OpenAll(LinkSession& session) {
    std::string all;
    char into[5000];
    for (;;) {
      const auto opened = session.Open(absl::MakeSpan(into));
      EXPECT_TRUE(opened.ok()) << opened.status();
      if (!opened.ok() || opened->value_or(0) == 0) return all;
      all.append(into, **opened);
    }
  }

  std::unique_ptr<LinkSession> link_;
  std::unique_ptr<LinkSession> listener_;
};

TEST_F(TlsSessionTest, P15_WhatThePeerCanOpenIsSaidExactlyWhereverItIsCut) {
  std::string small = "a short part";
  std::string large(40'000, 'x');
  for (const size_t step : {1, 2, 5, 21, 22, 1000, 16'384, 16'406, 40'000}) {
    SCOPED_TRACE(step);
    iovec parts[] = {{small.data(), small.size()},
                     {large.data(), large.size()},
                     {small.data(), small.size()}};
    ASSERT_TRUE(link_->Seal(parts).ok());
    std::string opened;
    size_t said = 0;
    while (!link_->sealed().empty()) {
      said += Carry(*link_, *listener_, step);
      opened += OpenAll(*listener_);
      ASSERT_EQ(said, opened.size());
    }
    EXPECT_EQ(opened, small + large + small);
  }
}

// A peer that is OpenSSL alone, and says what no session of ours says.
TEST_F(TlsSessionTest, P14_APeerThatChangesItsKeysAndDoesNotReadIsEnded) {
  TlsCredentials ours(TestTls(), TlsRole::kLink);
  TlsCredentials theirs(TestTls(), TlsRole::kStrictListener);
  const auto listener = *TlsSession::Accept(NewSsl(theirs), TestTls());
  const internal::SslPtr peer = NewSsl(ours);
  SSL_set_connect_state(peer.get());
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(peer.get(), in, out);  // takes them
  const unsigned char alpn[] = "\x09trolley/1";
  SSL_set_alpn_protos(peer.get(), alpn, sizeof(alpn) - 1);
  const auto say = [&] {
    for (;;) {
      const absl::Span<char> room = listener->PrepareRead();
      const int n = BIO_read(out, room.data(), static_cast<int>(room.size()));
      if (n <= 0) return;
      listener->Commit(n);
    }
  };
  for (bool done = false; !done;) {
    SSL_do_handshake(peer.get());
    say();
    done = *listener->Shake();
    const absl::Span<const char> said = listener->sealed();
    BIO_write(in, said.data(), static_cast<int>(said.size()));
    listener->Wrote(said.size());
  }
  char into[100];
  absl::Status ended;
  size_t most = 0;
  for (int i = 0; i < 100'000 && ended.ok(); ++i) {
    SSL_key_update(peer.get(), SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(peer.get());
    say();
    ended = listener->Open(absl::MakeSpan(into)).status();
    most = std::max(most, listener->sealed().size());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(ended)) << ended;
  EXPECT_LE(most, TlsSession::kMostAnswers + 100);
}

TEST_F(TlsSessionTest, AnEndOfThePeerIsToldFromBytesThatAreMissing) {
  char into[100];
  EXPECT_EQ(*listener_->Open(absl::MakeSpan(into)), size_t{0});
  link_->Close();
  Carry(*link_, *listener_);
  EXPECT_FALSE(listener_->Open(absl::MakeSpan(into))->has_value());
}

}  // namespace
}  // namespace trolley::links_test
