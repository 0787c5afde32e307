// SPDX-License-Identifier: Apache-2.0
//
// Messenger: the service that sends messages to actors and asks them.
//
// Ownership: shares ControlState.
// Threads:   thread-safe.

#ifndef TROLLEY_ACTORS_GRPC_INTERNAL_MESSENGER_H_
#define TROLLEY_ACTORS_GRPC_INTERNAL_MESSENGER_H_

#include <memory>
#include <utility>

#include "trolley/actors/grpc/internal/control_state.h"
#include "trolley/actors/wire.h"
#include "trolley/proto/control.grpc.pb.h"

namespace trolley::internal {

using RawMessenger = control::v1::Messenger::WithRawCallbackMethod_SendMessage<
    control::v1::Messenger::WithRawCallbackMethod_AskActor<
        control::v1::Messenger::Service>>;

class Messenger final : public RawMessenger {
 public:
  explicit Messenger(std::shared_ptr<const ControlState> state)
      : state_(std::move(state)) {}

  grpc::ServerUnaryReactor* SendMessage(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* AskActor(grpc::CallbackServerContext* context,
                                     const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;

 private:
  // The actor and the message. All is checked, except the bytes of the message.
  struct Parcel {
    absl::StatusOr<WireTarget> target = absl::UnknownError("");
    WireView message{"", ""};  // of the request
    TellOptions options;
  };
  template <typename Request>
  grpc::Status Read(const Request& request, Parcel* parcel) const;

  const std::shared_ptr<const ControlState> state_;
};

}  // namespace trolley::internal

#endif  // TROLLEY_ACTORS_GRPC_INTERNAL_MESSENGER_H_
