// SPDX-License-Identifier: Apache-2.0
//
// MessageTypes: the Protobuf messages that a service knows, by its reflection,
// so that JSON can be translated without a .proto file at hand.
//
// Ownership: owns the descriptors; messages made from them do not outlive it.
// Threads:   one.
// Bounds:    kMostFiles descriptors of files, each at most one gRPC message.

#ifndef TROLLEY_TOOLS_TROLLEY_MESSAGE_TYPES_H_
#define TROLLEY_TOOLS_TROLLEY_MESSAGE_TYPES_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/dynamic_message.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/trolley/client.h"
#include "tools/trolley/reflection.h"

namespace trolley::tools {

class MessageTypes {
 public:
  static constexpr int kMostFiles = 1000;

  explicit MessageTypes(const Client& client)
      : client_(client), pool_(&files_) {}

  // The bytes of the message of that type that `json` describes.
  // InvalidArgument: it does not fit the type; the text says where, and which
  // fields there are.
  absl::StatusOr<std::string> FromJson(const std::string& type,
                                       const std::string& json);

  // `bytes` of that type as JSON.
  absl::StatusOr<std::string> ToJson(const std::string& type,
                                     const std::string& bytes, bool wide);

 private:
  absl::StatusOr<std::unique_ptr<google::protobuf::Message>> NewMessage(
      const std::string& type);
  absl::Status Fetch(const std::string& type);

  const Client& client_;
  google::protobuf::SimpleDescriptorDatabase files_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_;
};

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_MESSAGE_TYPES_H_
