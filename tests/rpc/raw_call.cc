// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/rpc/raw_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"

namespace trolley::rpc_test {
namespace {

constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
constexpr char kData = 0;
constexpr char kHeaders = 1;
constexpr char kSettings = 4;
constexpr char kEndStream = 1;
constexpr char kEndHeaders = 4;

std::string BigEndian(uint32_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    text += static_cast<char>(value >> shift);
  }
  return text;
}

// A literal of HPACK that enters no table; both parts are short.
std::string Header(absl::string_view name, absl::string_view value) {
  return absl::StrCat(std::string(1, '\0'),
                      BigEndian(static_cast<uint32_t>(name.size()), 1), name,
                      BigEndian(static_cast<uint32_t>(value.size()), 1), value);
}

std::string Prefixed(absl::string_view message) {
  return absl::StrCat(std::string(1, '\0'),
                      BigEndian(static_cast<uint32_t>(message.size()), 4),
                      message);
}

}  // namespace

RawCall::RawCall(const std::string& address, absl::string_view method,
                 absl::string_view timeout) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(address, ':');
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(parts.second, &port));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  Write(kPreface);
  WriteFrame(kSettings, 0, 0, "");
  std::string headers = absl::StrCat(
      Header(":method", "POST"), Header(":scheme", "http"),
      Header(":path", method), Header(":authority", "here"),
      Header("te", "trailers"), Header("content-type", "application/grpc"));
  if (!timeout.empty()) headers += Header("grpc-timeout", timeout);
  WriteFrame(kHeaders, kEndHeaders, 1, headers);
}

RawCall::~RawCall() {
  if (socket_ >= 0) close(socket_);
}

void RawCall::SendMessage(absl::string_view message, bool last) {
  WriteFrame(kData, last ? kEndStream : 0, 1, Prefixed(message));
}

void RawCall::SendHalfAMessage() {
  WriteFrame(kData, 0, 1, Prefixed(std::string(100, 'x')).substr(0, 50));
}

void RawCall::Vanish() {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  EXPECT_EQ(
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
  close(std::exchange(socket_, -1));
}

bool RawCall::ReadUntil(absl::string_view text) {
  std::string all;
  char bytes[4096];
  while (all.find(std::string(text)) == all.npos) {
    const ssize_t got = read(socket_, bytes, sizeof(bytes));
    if (got <= 0) return false;
    all.append(bytes, static_cast<size_t>(got));
  }
  return true;
}

void RawCall::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ASSERT_GT(put, 0);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
}

void RawCall::WriteFrame(char type, char flags, int stream,
                         absl::string_view payload) {
  Write(absl::StrCat(BigEndian(static_cast<uint32_t>(payload.size()), 3),
                     std::string(1, type), std::string(1, flags),
                     BigEndian(static_cast<uint32_t>(stream), 4), payload));
}

}  // namespace trolley::rpc_test
