// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "app/app.hpp"

namespace {

/// The one place that reads the process's environment.
offshoot::io::Environment environment_of_the_process() {
  offshoot::io::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto equals = variable.find('=');
    if (equals != std::string::npos) environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment;
}

}  // namespace

int main(int argc, char** argv) {
  const offshoot::app::Invocation invocation{
      .arguments = std::vector<std::string>(argv + 1, argv + argc),
      .environment = environment_of_the_process(),
      .folder = std::filesystem::current_path(),
      .out = std::cout,
      .err = std::cerr,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
  };
  return static_cast<int>(offshoot::app::run(invocation));
}
