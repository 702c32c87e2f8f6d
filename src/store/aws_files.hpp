// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "io/process.hpp"
#include "model/outcome.hpp"

namespace offshoot::store {

/// What the shared credentials and config files of AWS's tools say: profile -> key -> value. Where both name a key, the
/// credentials file's counts.
using AwsProfiles = std::map<std::string, std::map<std::string, std::string>>;

/// Reads them where `environment` says that they are (AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE, HOME). Files that
/// are not there are empty.
Result<AwsProfiles> read_aws_profiles(const io::Environment& environment);

/// AWS_PROFILE, else "default".
std::string aws_profile_name(const io::Environment& environment);

/// A variable's value; empty where it is not set.
std::string variable(const io::Environment& environment, const std::string& name);

/// A key of a profile; empty where either is missing.
std::string value_in(const AwsProfiles& profiles, const std::string& profile, const std::string& key);

}  // namespace offshoot::store
