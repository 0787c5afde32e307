// SPDX-License-Identifier: Apache-2.0
//
// The rules that GrpcPieces keeps, with a call that does what the test says.

#include "trolley/actors/bridge/internal/grpc_pieces.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trolley/actors/bridge/internal/grpc_process.h"
#include "trolley/actors/bridge/internal/grpc_transport.h"
#include "trolley/poller/sys.h"
#include "trolley/poller/wake_fd.h"
#include "trolley/proto/bridge.pb.h"
#include "trolley/proto/wire_error.h"

namespace trolley::links_test {
namespace {

using bridge::v1::Piece;
using internal::GrpcPieces;
using internal::GrpcTransport;
using internal::kMostPieceBytes;
using ::testing::ElementsAre;

grpc::ByteBuffer MessageOf(const std::string& bytes) {
  Piece piece;
  piece.set_bytes(bytes);
  grpc::ByteBuffer message;
  bool own = false;
  EXPECT_TRUE(
      grpc::SerializationTraits<Piece>::Serialize(piece, &message, &own).ok());
  return message;
}

// Lists what Drive() does, and checks the rules of gRPC.
class FakeCall final : public GrpcPieces {
 public:
  // `ends_by_release`: as the server's call, which says its end by Release().
  explicit FakeCall(bool ends_by_release) : server_(ends_by_release) {}

  using GrpcPieces::Done;
  using GrpcPieces::Drive;
  using GrpcPieces::Failed;

  void Come(const std::string& bytes) {
    ASSERT_NE(into_, nullptr) << "no read is under way";
    *std::exchange(into_, nullptr) = MessageOf(bytes);
    ReadDone(true);
  }
  void ComeNoMore() {
    ASSERT_NE(into_, nullptr) << "no read is under way";
    into_ = nullptr;
    ReadDone(false);
  }
  void Written(bool ok = true) {
    ASSERT_TRUE(std::exchange(writing_, false));
    WriteDone(ok);
  }
  bool reads() const { return into_ != nullptr; }
  std::vector<std::string> TakeWrites() { return std::exchange(writes_, {}); }

  int ends = 0;
  int releases = 0;
  int cancels = 0;

 private:
  void StartReading(grpc::ByteBuffer* into) override {
    EXPECT_EQ(into_, nullptr) << "two reads";
    EXPECT_EQ(releases, 0);
    into_ = into;
  }
  void StartWriting(const grpc::ByteBuffer* from) override {
    EXPECT_FALSE(writing_) << "two writes";
    EXPECT_EQ(ends + releases, 0);
    writing_ = true;
    grpc::ByteBuffer copy = *from;
    Piece piece;
    EXPECT_TRUE(
        grpc::SerializationTraits<Piece>::Deserialize(&copy, &piece).ok());
    writes_.push_back(piece.bytes());
  }
  void SayEnd() override {
    EXPECT_FALSE(writing_);
    ++ends;
  }
  void Release() override { ++releases; }
  void CancelCall() override { ++cancels; }
  bool MustSayEnd(const View& view) const override {
    return !server_ && view.closed && view.all_written && !view.failed &&
           !view.read_over;
  }
  bool MustRelease(const View& view) const override {
    if (server_) return view.failed || (view.closed && view.all_written);
    return view.read_over && (view.all_written || view.failed);
  }
  bool EndsWithInput() const override { return !server_; }

  const bool server_;
  grpc::ByteBuffer* into_ = nullptr;
  bool writing_ = false;
  std::vector<std::string> writes_;
};

class GrpcPiecesTest : public testing::TestWithParam<bool> {
 protected:
  GrpcPiecesTest() {
    EXPECT_TRUE(internal::PrepareGrpc(RealSys()).ok());
    call_->Attach(&wake_);
  }
  ~GrpcPiecesTest() override { call_->Done(absl::OkStatus()); }

  ssize_t Write(const std::string& bytes) {
    iovec part = {.iov_base = const_cast<char*>(bytes.data()),
                  .iov_len = bytes.size()};
    return call_->Write({&part, 1});
  }
  // What there is now, at most `most` bytes; or the error.
  std::string Read(size_t most = 100) {
    std::string into(most, '\0');
    const ssize_t n = call_->Read(absl::MakeSpan(into));
    if (n < 0) return "-" + std::to_string(-n);
    return into.substr(0, n);
  }
  static std::string Error(int error) { return "-" + std::to_string(error); }

  const std::shared_ptr<FakeCall> call_ =
      std::make_shared<FakeCall>(GetParam());
  WakeFd wake_{RealSys(), *WakeFd::Open(RealSys())};
};

INSTANTIATE_TEST_SUITE_P(Of, GrpcPiecesTest, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "Server" : "Client";
                         });

TEST_P(GrpcPiecesTest, P14_WhatTheLoopDoesNotReadIsNotTaken) {
  call_->Come("a");
  call_->Come("b");
  EXPECT_FALSE(call_->reads());
  EXPECT_EQ(Read(), "a");
  EXPECT_TRUE(call_->reads());
  call_->Come("cde");
  EXPECT_FALSE(call_->reads());
  EXPECT_EQ(Read(), "b");
  // A part of a piece makes no room.
  call_->Come("f");
  EXPECT_EQ(Read(2), "cd");
  EXPECT_FALSE(call_->reads());
  EXPECT_EQ(Read(2), "e");
  EXPECT_TRUE(call_->reads());
  EXPECT_EQ(Read(), "f");
  EXPECT_EQ(Read(), Error(EAGAIN));
}

TEST_P(GrpcPiecesTest, P14_WhatThePeerDoesNotReadIsNotKept) {
  EXPECT_EQ(Write("one"), 3);
  EXPECT_EQ(Write("two"), 3);
  EXPECT_EQ(Write(std::string(2 * kMostPieceBytes, 'x')),
            static_cast<ssize_t>(kMostPieceBytes - 3));
  EXPECT_EQ(Write("y"), -EAGAIN);
  EXPECT_THAT(call_->TakeWrites(), ElementsAre("one"));
  EXPECT_FALSE(wake_.Drain());
  call_->Written();
  EXPECT_TRUE(wake_.Drain());
  const std::vector<std::string> writes = call_->TakeWrites();
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_EQ(writes[0].size(), kMostPieceBytes);
  EXPECT_EQ(Write("y"), 1);
  EXPECT_EQ(Write(""), 0);
}

TEST_P(GrpcPiecesTest, P16_TheLoopIsWokenWhenItWaitsAndOnlyThen) {
  call_->Come("a");
  EXPECT_FALSE(wake_.Drain());
  EXPECT_EQ(Read(), "a");
  EXPECT_EQ(Read(), Error(EAGAIN));
  call_->Come("b");
  EXPECT_TRUE(wake_.Drain());
  call_->Come("c");
  EXPECT_FALSE(wake_.Drain());
}

TEST_P(GrpcPiecesTest, P15_TheEndIsSaidOnceAfterAllThatWasWritten) {
  Write("one");
  Write("two");
  call_->Close();
  EXPECT_EQ(call_->ends + call_->releases, 0);
  EXPECT_EQ(Write("three"), -EPIPE);
  call_->Written();
  EXPECT_EQ(call_->ends + call_->releases, 0);
  call_->Written();
  EXPECT_THAT(call_->TakeWrites(), ElementsAre("one", "two"));
  EXPECT_EQ(call_->ends + call_->releases, 1);
  call_->Close();
  call_->Drive();
  if (call_->reads()) call_->ComeNoMore();
  EXPECT_EQ(call_->releases, 1);
  EXPECT_EQ(call_->ends, GetParam() ? 0 : 1);
  EXPECT_EQ(call_->cancels, 0);
}

TEST_P(GrpcPiecesTest, P15_NothingIsStartedAfterTheEnd) {
  Write("one");
  Write("two");
  if (GetParam()) {
    call_->Failed();
  } else {
    call_->ComeNoMore();
  }
  // The write under way comes first.
  EXPECT_EQ(call_->releases, 0);
  call_->Written(false);
  EXPECT_EQ(call_->releases, 1);
  EXPECT_EQ(Write("three"), -EPIPE);
  call_->Drive();
  EXPECT_THAT(call_->TakeWrites(), ElementsAre("one"));
  call_->Done(absl::UnavailableError("gone"));
  EXPECT_EQ(Read(), Error(EPIPE));
  EXPECT_EQ(call_->why().message(), "gone");
}

TEST_P(GrpcPiecesTest, P14_TheRuleThatAPeerBrokeComesAfterWhatItSentBefore) {
  call_->Come("good");
  call_->Come("");
  EXPECT_FALSE(call_->reads());
  EXPECT_EQ(Read(), "good");
  EXPECT_EQ(Read(), Error(EPROTO));
  EXPECT_EQ(wire::WireErrorOf(call_->why()), wire::WireError::kBadLength);
}

TEST_P(GrpcPiecesTest, P15_ATransportThatIsDroppedCancelsItsCall) {
  { GrpcTransport dropped(call_); }
  EXPECT_EQ(call_->cancels, 1);
}

}  // namespace
}  // namespace trolley::links_test
