// SPDX-License-Identifier: Apache-2.0
// Drives a store from the command line, for tests and benchmarks: store_tool s3://bucket/prefix|FOLDER VERB ARGUMENT…
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "io/files.hpp"
#include "store/folder_store.hpp"
#include "store/lease.hpp"
#include "store/s3_store.hpp"
#include "store/transfer.hpp"

namespace offshoot::store {
namespace {

namespace fs = std::filesystem;

io::Environment environment_of_the_process() {
  io::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto equals = variable.find('=');
    if (equals != std::string::npos) environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment;
}

int told(const Failed& failure) {
  std::cerr << failure.doing << ": " << failure.why << "\n  " << failure.hint << '\n';
  return static_cast<int>(failure.status);
}

Result<std::unique_ptr<Store>> open(const std::string& where) {
  if (where.starts_with("s3://")) return open_s3(where, environment_of_the_process());
  return std::make_unique<FolderStore>(where);
}

std::vector<Transfer> files_in(const fs::path& folder, const std::string& prefix) {
  std::vector<Transfer> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files.push_back({prefix + "/" + entry.path().lexically_relative(folder).generic_string(), entry.path(), {}});
  }
  return files;
}

/// Takes a lease, then does what standard input says, a line each: renew, write KEY VALUE, release, end.
Result<void> hold(Store& store, const std::vector<std::string>& arguments) {
  std::string line;
  std::cout << "ready" << std::endl;
  std::getline(std::cin, line);  // racers begin together
  auto answer = Lease::take(store, {arguments.at(0),
                                    {arguments.at(1), "deploy of " + arguments.at(1), ""},
                                    std::chrono::seconds(std::stoi(arguments.at(2)))});
  if (!answer) return tl::unexpected(answer.error());
  if (const auto* taken = std::get_if<LeaseTaken>(&*answer)) {
    std::cout << "taken by " << taken->holder.run << " " << taken->number << std::endl;
    return {};
  }
  auto& lease = *std::get<std::unique_ptr<Lease>>(*answer);
  std::cout << "held " << lease.number() << std::endl;
  while (std::getline(std::cin, line) && line != "end") {
    std::string said = "ok";
    Result<void> done;
    if (line == "renew") done = lease.renew();
    if (line == "release") done = lease.release();
    if (line.starts_with("write ")) {
      const auto space = line.find(' ', 6);
      const std::string key = line.substr(6, space - 6);
      const auto before = store.read(key);
      if (!before) return tl::unexpected(before.error());
      const auto version = *before ? std::optional((*before)->version) : std::nullopt;
      if (auto written = lease.write(key, line.substr(space + 1), version); !written) {
        done = tl::unexpected(written.error());
      }
    }
    if (!done) said = done.error().status == ExitStatus::locked ? "refused: " + done.error().why : done.error().why;
    std::cout << said << std::endl;
  }
  return {};
}

Result<void> act(Store& store, const std::string& verb, const std::vector<std::string>& arguments) {
  const auto argument = [&](std::size_t n) { return arguments.at(n); };
  if (verb == "put") return store.put_file(argument(0), argument(1), {});
  if (verb == "hold") return hold(store, arguments);
  if (verb == "upload") return put_files(store, files_in(argument(1), argument(0)));
  if (verb == "remove") return store.remove(argument(0));
  if (verb == "fetch") {
    return store.fetch(argument(0), argument(1)).map([](bool there) { std::cout << (there ? "there\n" : "absent\n"); });
  }
  if (verb == "read") {
    return store.read(argument(0)).map([](const std::optional<Object>& object) {
      if (!object) std::cout << "absent\n";
      if (object) std::cout << object->version << '\n' << object->bytes;
    });
  }
  if (verb == "put-if") {
    const auto version = arguments.size() > 2 ? std::optional(argument(2)) : std::nullopt;
    return store.put_if(argument(0), argument(1), version).map([](const Written& written) {
      std::cout << (written.written ? "written " + written.version : "there already") << '\n';
    });
  }
  if (verb == "list") {
    return store.list_objects(argument(0)).map([](const std::vector<Listed>& objects) {
      for (const auto& object : objects) std::cout << object.key << ' ' << object.size << '\n';
    });
  }
  if (verb == "sweep") {
    return store.sweep(std::chrono::seconds(std::stoi(argument(0)))).map([](int n) { std::cout << n << '\n'; });
  }
  if (verb == "link") {
    return store.link(argument(0), std::chrono::seconds(std::stol(argument(1)))).map([](const Link& link) {
      std::cout << link.url << '\n' << (link.expires ? io::rfc3339(*link.expires) : "never") << '\n';
    });
  }
  return failed(ExitStatus::usage, "store_tool", "no verb '" + verb + "'");
}

int run(const std::vector<std::string>& arguments) {
  const auto store = open(arguments.at(0));
  if (!store) return told(store.error());
  const auto done = act(**store, arguments.at(1), {arguments.begin() + 2, arguments.end()});
  return done ? 0 : told(done.error());
}

}  // namespace
}  // namespace offshoot::store

int main(int argc, char** argv) { return offshoot::store::run({argv + 1, argv + argc}); }
