// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "io/process.hpp"
#include "io/redaction.hpp"

namespace offshoot::app {

/// Whether what has this name is kept secret: a variable ("PGPASSWORD"), or a key of a profile ("private_key").
bool names_a_secret(std::string_view name);

/// Adds the secrets of the job's environment: variables whose names say so, and passwords in URLs.
void add_secrets(const io::Environment& environment, io::Redaction& secrets);

/// Adds those of a profiles.yml: values of keys that are secret, as they stand there or as env_var() reads them.
void add_secrets_of_profile(const nlohmann::ordered_json& document, const io::Environment& environment,
                            io::Redaction& secrets);

/// Tells GitHub's runner to mask these lines in all logs of the job (requirement C1). `commands` must reach the runner
/// as it is: it is the one stream that is not redacted.
void mask(std::span<const std::string> lines, std::ostream& commands);

}  // namespace offshoot::app
