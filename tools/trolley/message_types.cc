// SPDX-License-Identifier: Apache-2.0

#include "tools/trolley/message_types.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/util/json_util.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "tools/trolley/json_error.h"
#include "tools/trolley/print.h"
#include "trolley/poller/printable.h"

namespace trolley::tools {
namespace {

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      Printable(status.error_message()));
}

}  // namespace

absl::Status MessageTypes::Fetch(const std::string& type) {
  ReflectionStream reflection(client_);
  std::set<std::string> known;
  std::set<std::string> wanted;
  ReflectionRequest question;
  question.set_file_containing_symbol(type);
  for (;;) {
    ReflectionResponse answer;
    if (!reflection.Ask(question, &answer)) {
      return FromGrpc(reflection.status());
    }
    if (answer.has_error()) {
      return absl::NotFoundError(
          absl::StrCat("the service knows no message ", Printable(type), ": ",
                       Printable(answer.error().error_message())));
    }
    for (const std::string& bytes : answer.files().file_descriptor_proto()) {
      google::protobuf::FileDescriptorProto file;
      if (!file.ParseFromString(bytes) || known.size() >= kMostFiles) {
        return absl::DataLossError("the service's reflection is not valid");
      }
      wanted.erase(file.name());
      if (!known.insert(file.name()).second) continue;
      files_.Add(file);
      for (const std::string& import : file.dependency()) {
        if (known.count(import) == 0) wanted.insert(import);
      }
    }
    if (wanted.empty()) return absl::OkStatus();
    question.set_file_by_filename(*wanted.begin());
    wanted.erase(wanted.begin());
  }
}

absl::StatusOr<std::unique_ptr<google::protobuf::Message>>
MessageTypes::NewMessage(const std::string& type) {
  const google::protobuf::Descriptor* found = pool_.FindMessageTypeByName(type);
  if (found == nullptr) {
    if (absl::Status fetched = Fetch(type); !fetched.ok()) return fetched;
    found = pool_.FindMessageTypeByName(type);
  }
  if (found == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("the service has no message ", Printable(type)));
  }
  return std::unique_ptr<google::protobuf::Message>(
      factory_.GetPrototype(found)->New());
}

absl::StatusOr<std::string> MessageTypes::FromJson(const std::string& type,
                                                   const std::string& json) {
  auto message = NewMessage(type);
  if (!message.ok()) return message.status();
  const auto read =
      google::protobuf::util::JsonStringToMessage(json, message->get());
  if (!read.ok()) {
    return JsonError(*(*message)->GetDescriptor(), json,
                     std::string(read.message()));
  }
  return (*message)->SerializeAsString();
}

absl::StatusOr<std::string> MessageTypes::ToJson(const std::string& type,
                                                 const std::string& bytes,
                                                 bool wide) {
  auto message = NewMessage(type);
  if (!message.ok()) return message.status();
  if (!(*message)->ParseFromString(bytes)) {
    return absl::DataLossError(
        absl::StrCat("the reply is not a ", Printable(type)));
  }
  return tools::ToJson(**message, wide);
}

}  // namespace trolley::tools
