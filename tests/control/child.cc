// SPDX-License-Identifier: Apache-2.0

#include "tests/control/child.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "gtest/gtest.h"

namespace trolley::test {
namespace {

std::string ReadAll(int fd) {
  std::string all;
  char bytes[4096];
  ssize_t n;
  while ((n = read(fd, bytes, sizeof(bytes))) > 0) all.append(bytes, n);
  close(fd);
  return all;
}

}  // namespace

Child::Child(const std::string& program,
             const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 ||
      pipe2(err, O_CLOEXEC) != 0) {
    abort();
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& a : arguments) {
    argv.push_back(const_cast<char*>(a.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (const std::string& e : environment) {
    envp.push_back(const_cast<char*>(e.c_str()));
  }
  envp.push_back(nullptr);
  EXPECT_EQ(posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(),
                        envp.data()),
            0)
      << program;
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  close(err[1]);
  in_ = in[1];
  out_ = out[0];
  err_ = err[0];
}

std::string Child::ReadLine() {
  std::string line;
  char c;
  while (read(out_, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

void Child::Kill() { kill(pid_, SIGKILL); }

int Child::Finish(const std::string& input, std::string* out,
                  std::string* err) {
  std::thread feeder([&] {
    if (!input.empty()) (void)!write(in_, input.data(), input.size());
    close(in_);
  });
  std::thread listener([&] { *err = ReadAll(err_); });
  *out = ReadAll(out_);
  feeder.join();
  listener.join();
  int status = 0;
  waitpid(pid_, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// For gtest, which would print the fields otherwise.
void PrintTo(const Result& result, std::ostream* to) {
  *to << "exit " << result.code << "\nout: " << result.out
      << "\nerr: " << result.err;
}

Result RunProgram(const std::string& program,
                  const std::vector<std::string>& arguments,
                  const std::string& input,
                  const std::vector<std::string>& environment) {
  Result result;
  result.code = Child(program, arguments, environment)
                    .Finish(input, &result.out, &result.err);
  return result;
}

Result RunTrolley(const std::vector<std::string>& arguments,
                  const std::string& input,
                  const std::vector<std::string>& environment) {
  return RunProgram(kTrolley, arguments, input, environment);
}

google::protobuf::Struct ParseJson(const std::string& json) {
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok())
      << json;
  return parsed;
}

}  // namespace trolley::test
