// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace offshoot::io {

/// Which process this is, told from every other that this machine has run or will: its boot, its namespace of process
/// ids, its id and when it began. Empty where the system does not tell.
std::string own_process();

/// Whether a process that named itself so has surely ended. False where that is not known: it ran elsewhere, on an
/// earlier boot or under other process ids, or the text is none of own_process().
bool has_surely_ended(const std::string& process);

}  // namespace offshoot::io
