// SPDX-License-Identifier: Apache-2.0

#include "trolley/tests/lib/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

namespace trolley {
namespace {

[[noreturn]] void Die(const char* what) {
  ::perror(what);
  ::abort();
}

// The entries of a folder of /proc, without "." and "..".
int EntriesOf(const char* folder) {
  DIR* const open = ::opendir(folder);
  if (open == nullptr) Die(folder);
  int count = 0;
  while (const dirent* entry = ::readdir(open)) {
    count += entry->d_name[0] != '.';
  }
  ::closedir(open);
  return count;
}

}  // namespace

int OpenDescriptors() { return EntriesOf("/proc/self/fd") - 1; }

int CountThreads() { return EntriesOf("/proc/self/task"); }

void AwaitThreads(int most) {
  while (CountThreads() > most) std::this_thread::yield();
}

char StateOfThread(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line;
  std::getline(stat, line);
  // The name of the thread may have any character, so its end is the last ')'.
  const size_t name_ends = line.rfind(')');
  return name_ends == std::string::npos || name_ends + 2 >= line.size()
             ? '?'
             : line[name_ends + 2];
}

void AwaitSleepOf(pid_t thread, const std::function<bool()>& give_up) {
  while (StateOfThread(thread) != 'S' && !give_up()) {
    std::this_thread::yield();
  }
}

TempFolder::TempFolder() : path_("/tmp/trolley.XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr) Die(path_.c_str());
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace trolley
