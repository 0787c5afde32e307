// SPDX-License-Identifier: Apache-2.0

#include "trolley/actors/grpc/internal/serve.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include "absl/strings/str_cat.h"
#include "trolley/actors/grpc/internal/control_error.h"

namespace trolley::internal {

grpc::Status Parse(const grpc::ByteBuffer& bytes,
                   google::protobuf::Message& request) {
  if (!bytes.Valid()) {
    return BadRequest("", absl::StrCat("the call has no request; it takes a ",
                                       request.GetTypeName()));
  }
  grpc::ByteBuffer read = bytes;  // shares the slices
  grpc::ProtoBufferReader reader(&read);
  if (!reader.status().ok() || !request.ParseFromZeroCopyStream(&reader)) {
    return BadRequest(
        "", absl::StrCat("the ", bytes.Length(),
                         " bytes of the request are no ", request.GetTypeName(),
                         ": they are cut or altered, or a text is not UTF-8"));
  }
  return grpc::Status::OK;
}

}  // namespace trolley::internal
