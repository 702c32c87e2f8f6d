// SPDX-License-Identifier: Apache-2.0
#include "io/own_environment.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "io/sanitizer.hpp"

namespace offshoot::io {

namespace {

/// What libraries read by themselves: where things are, the language, the way to the network.
constexpr std::array<std::string_view, 19> harmless{
    "PATH",       "HOME",          "LANG",         "LC_ALL",         "LC_CTYPE",          "TZ",          "TMPDIR",
    "HTTP_PROXY", "HTTPS_PROXY",   "NO_PROXY",     "ALL_PROXY",      "http_proxy",        "https_proxy", "no_proxy",
    "all_proxy",  "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "RUNNER_TRACKING_ID"};

Environment environment_of_the_process() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto equals = variable.find('=');
    if (equals != std::string::npos) environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment;
}

void close_the_door() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
#if !defined(OFFSHOOT_ADDRESS_SANITIZER)  // its leak check looks into its own process
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

/// Overwrites a variable where the kernel looks for it. The compiler must not leave the writing out.
void overwrite(char* variable) {
  for (volatile char* at = variable; *at != '\0'; ++at) *at = '\0';
}

bool is_harmless(std::string_view variable) {
  return std::ranges::find(harmless, variable.substr(0, variable.find('='))) != harmless.end();
}

}  // namespace

Environment take_environment() {
  close_the_door();
  Environment environment = environment_of_the_process();
  char** kept = environ;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (is_harmless(*entry)) {
      *kept++ = *entry;
    } else {
      overwrite(*entry);
    }
  }
  *kept = nullptr;
  return environment;
}

}  // namespace offshoot::io
