// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/reflection.h"

namespace trolley::tools {
namespace {

constexpr char kMethod[] =
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

}  // namespace

ReflectionStream::ReflectionStream(const Client& client)
    : limit_(client.timeout(), context_), stub_(client.channel()) {
  stream_ = stub_.PrepareCall(&context_, kMethod, &queue_);
  stream_->StartCall(this);
  alive_ = Await();
}

ReflectionStream::~ReflectionStream() {
  if (!finished_) {
    context_.TryCancel();
    status();
  }
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool ReflectionStream::Await() {
  void* tag;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

bool ReflectionStream::Ask(const ReflectionRequest& question,
                           ReflectionResponse* answer) {
  if (!alive_) return false;
  stream_->Write(question, this);
  alive_ = Await();
  if (!alive_) return false;
  stream_->Read(answer, this);
  alive_ = Await();
  return alive_;
}

grpc::Status ReflectionStream::status() {
  if (!finished_) {
    finished_ = true;
    stream_->Finish(&status_, this);
    Await();
  }
  return status_;
}

}  // namespace trolley::tools
