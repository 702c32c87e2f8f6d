// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/process.hpp"

namespace offshoot::io {

/// The process's environment, out of reach for its children (requirement D2).
///
/// The kernel shows the environment that a program was started with to every process of the same user, whatever the
/// program does with it. So the first call hands all variables over to the same program, started again by exec, in a
/// sealed memory file, and keeps only harmless ones in sight; the second call reads them back and makes the process
/// one that others of its user cannot look into. Root still can. Core dumps are off (requirement C7). Where exec is not
/// to be had (no /proc), the variables stay as they are.
///
/// `argv` is main's. To be called once, before anything else.
Environment take_environment(char** argv);

}  // namespace offshoot::io
