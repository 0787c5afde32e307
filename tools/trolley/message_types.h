// SPDX-License-Identifier: Apache-2.0
//
// MessageTypes: the Protobuf messages that a service knows. The service's
// reflection describes them, so JSON can be converted without a .proto file.
//
// Ownership: owns the descriptors, which outlive the messages made from them.
// Threads:   one.
// Bounds:    at most kMostFiles descriptors of files, each at most one gRPC
//            message.

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

  // Converts `json` to the bytes of a message of `type`.
  //
  //   InvalidArgument  it does not fit the type; the text says where, and lists
  //                    the fields
  absl::StatusOr<std::string> FromJson(const std::string& type,
                                       const std::string& json);

  // Converts `bytes` of a message of `type` to JSON.
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
