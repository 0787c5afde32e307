// SPDX-License-Identifier: Apache-2.0

#include "trolley/poller/printable.h"

int main() { return trolley::Printable("\033[2J").find('\033') < 10 ? 1 : 0; }
