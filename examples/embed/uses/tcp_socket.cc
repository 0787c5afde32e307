// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/tcp/tcp_socket.h"

#include <iostream>

int main() {
  const auto socket = trolley::ListenTcp(trolley::RealSys(), "127.0.0.1:0");
  if (!socket.ok()) {
    std::cerr << socket.status() << "\n";
    return 1;
  }
  return socket->address().port() > 0 ? 0 : 1;
}
