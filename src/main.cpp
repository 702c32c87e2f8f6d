// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "app/app.hpp"
#include "io/own_environment.hpp"
#include "io/redaction.hpp"

int main(int argc, char** argv) {
  // The one place that reads the process's environment. From here on no child can see it.
  auto environment = offshoot::io::take_environment();
  offshoot::io::Redaction secrets;
  offshoot::io::RedactingStream out(std::cout, secrets);
  offshoot::io::RedactingStream err(std::cerr, secrets);
  const offshoot::app::Invocation invocation{
      .arguments = std::vector<std::string>(argv + 1, argv + argc),
      .environment = std::move(environment),
      .folder = std::filesystem::current_path(),
      .out = out,
      .err = err,
      .runner = std::cerr,
      .secrets = secrets,
      .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
      .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
  };
  return static_cast<int>(offshoot::app::run(invocation));
}
