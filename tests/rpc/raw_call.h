// SPDX-License-Identifier: Apache-2.0
//
// RawCall: a client that is no gRPC: it writes the frames of one call to a
// socket, and then does what the test says, such as nothing at all.
//
//   RawCall call(served.address, "/trolley.rpc_test.Bank/Hold", "1S");
//   call.SendMessage("", /*last=*/true);
//   call.Vanish();
//
// Ownership: owns its socket. Threads: one.

#ifndef TROLLEY_TESTS_RPC_RAW_CALL_H_
#define TROLLEY_TESTS_RPC_RAW_CALL_H_

#include <string>

#include "absl/strings/string_view.h"

namespace trolley::rpc_test {

class RawCall {
 public:
  // `timeout`: the header "grpc-timeout"; empty: none.
  RawCall(const std::string& address, absl::string_view method,
          absl::string_view timeout = "");
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;
  ~RawCall();

  // `last`: the client sends no more.
  void SendMessage(absl::string_view message, bool last);
  // The first bytes of a message that does not come.
  void SendHalfAMessage();
  // Resets the connection, as the kernel does for a machine that has lost it.
  void Vanish();
  // Reads to the end, or until `text` has come. True: it has come.
  bool ReadUntil(absl::string_view text);

 private:
  void Write(absl::string_view bytes);
  void WriteFrame(char type, char flags, int stream, absl::string_view payload);

  int socket_ = -1;
};

}  // namespace trolley::rpc_test

#endif  // TROLLEY_TESTS_RPC_RAW_CALL_H_
