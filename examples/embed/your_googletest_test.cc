// SPDX-License-Identifier: Apache-2.0
//
// trolleybus_deps() must not replace a repository the embedder declared.

#include "gtest/gtest.h"

#ifndef YOUR_GOOGLETEST
#error "trolleybus_deps() replaced this workspace's com_google_googletest"
#endif

TEST(EmbedTest, RepositoryOfTheEmbedderIsKept) { SUCCEED(); }
