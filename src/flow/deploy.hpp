// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "flow/announce.hpp"
#include "flow/context.hpp"
#include "model/run.hpp"

namespace offshoot::flow {

/// Builds production in place from the head commit and keeps its manifest, so that branches know where production is.
/// Refuses a work tree with uncommitted changes: production is built from a commit.
Run deploy(const Context& context, Announcement& announcement);

}  // namespace offshoot::flow
