// SPDX-License-Identifier: Apache-2.0
//
// The commands of `trolley`. Each file has one group of them.

#ifndef TROLLEY_TOOLS_TROLLEY_COMMANDS_H_
#define TROLLEY_TOOLS_TROLLEY_COMMANDS_H_

#include "tools/trolley/arguments.h"

namespace trolley::tools {

Command PsCommand();       // inspect_commands.cc
Command InfoCommand();     // inspect_commands.cc
Command SendCommand();     // message_commands.cc
Command AskCommand();      // message_commands.cc
Command StopCommand();     // stop_command.cc
Command PollersCommand();  // pollers_command.cc
Command TreeCommand();     // tree_command.cc

}  // namespace trolley::tools

#endif  // TROLLEY_TOOLS_TROLLEY_COMMANDS_H_
