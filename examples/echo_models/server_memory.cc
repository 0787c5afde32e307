// SPDX-License-Identifier: Apache-2.0

#include "trolley/examples/echo_models/server_memory.h"

#include <dirent.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace echo {
namespace {

// The value behind "Key:" in a file of /proc, in bytes, or -1.
int64_t KilobytesOf(pid_t process, const char* file, const std::string& key) {
  std::ifstream in(absl::StrCat("/proc/", process, "/", file));
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind(key + ":", 0) != 0) continue;
    return std::strtoll(line.c_str() + key.size() + 1, nullptr, 10) * 1024;
  }
  return -1;
}

pid_t ParentOf(pid_t process) {
  std::ifstream in(absl::StrCat("/proc/", process, "/stat"));
  std::string line;
  std::getline(in, line);
  // The name, in parentheses, may hold anything.
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return -1;
  std::istringstream rest(line.substr(name_end + 1));
  char state = 0;
  pid_t parent = -1;
  rest >> state >> parent;
  return parent;
}

std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  DIR* const processes = opendir("/proc");
  if (processes == nullptr) return children;
  while (const dirent* entry = readdir(processes)) {
    const pid_t process = std::atoi(entry->d_name);
    if (process > 0 && ParentOf(process) == parent) children.push_back(process);
  }
  closedir(processes);
  return children;
}

}  // namespace

absl::StatusOr<int64_t> ServerMemory(pid_t server) {
  std::vector<pid_t> all = ChildrenOf(server);
  all.push_back(server);
  int64_t sum = 0;
  for (const pid_t process : all) {
    const int64_t resident = KilobytesOf(process, "smaps_rollup", "Pss");
    const int64_t tables = KilobytesOf(process, "status", "VmPTE");
    if (resident < 0 || tables < 0) {
      if (process != server) continue;  // a child that has just ended
      return absl::PermissionDeniedError(
          absl::StrCat("cannot read /proc/", server, "/smaps_rollup"));
    }
    sum += resident + tables;
  }
  return sum;
}

}  // namespace echo
