// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/process.hpp"

namespace offshoot::io {

/// The process's environment, out of reach for its children (requirement D2).
///
/// The kernel shows the environment that a program was started with to every process of the same user: it reads it from
/// where it lies in the program's memory. So all but harmless variables are overwritten there, once they are copied,
/// and the process becomes one that others of its user cannot look into. Core dumps are off (requirement C7).
///
/// To be called once, before anything else.
Environment take_environment();

}  // namespace offshoot::io
