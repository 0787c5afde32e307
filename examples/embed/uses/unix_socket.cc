// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/unix/unix_socket.h"

#include <cstdlib>
#include <string>

int main() {
  char folder[] = "/tmp/embed.XXXXXX";
  if (mkdtemp(folder) == nullptr) return 1;
  const std::string path = std::string(folder) + "/socket";
  auto& sys = trolley::RealSys();
  bool good = false;
  {
    const auto listener = trolley::ListenUnix(sys, path);
    good = listener.ok() && trolley::ConnectUnix(sys, path).ok();
  }
  return std::system(("rmdir " + std::string(folder)).c_str()) == 0 && good ? 0
                                                                            : 1;
}
