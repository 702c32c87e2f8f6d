// SPDX-License-Identifier: Apache-2.0
// Announces a run that is given as run.json, over the real network, in time that passes quicker than it does.
// usage: github_driver RUN_JSON HASTE [SETTING=VALUE…]
//   RUN_JSON   the run of a check
//   HASTE      how many times quicker than real waits pass
// The environment is that of a step in GitHub Actions. Prints one JSON object: what was noted, and the lines for the
// log.
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "flow/announce.hpp"
#include "io/files.hpp"
#include "report/run_json.hpp"
#include "store/folder_store.hpp"

namespace {

using namespace offshoot;

class QuickTime final : public io::Pauses {
 public:
  explicit QuickTime(int haste) : haste_(haste) {}
  std::chrono::milliseconds now() override { return io::real_pauses().now() * haste_; }
  bool wait(std::chrono::milliseconds time, std::stop_token stop) override {
    waited += time;
    return io::real_pauses().wait(time / haste_, stop);
  }
  double chance() override { return io::real_pauses().chance(); }

  std::chrono::milliseconds waited{0};

 private:
  int haste_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const auto text = io::read_file(argv[1]);
  if (!text) return 2;
  auto run = report::from_json(*text, argv[1]);
  if (!run) {
    std::cerr << run.error().why << '\n';
    return 2;
  }
  io::Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto equals = variable.find('=');
    if (equals != std::string::npos) environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  // As the binary names its runs.
  run->id = "20261121T034501Z-" + environment["GITHUB_RUN_ID"] + "-" + environment["GITHUB_RUN_ATTEMPT"];
  Settings settings;
  for (int i = 3; i < argc; ++i) {
    const std::string setting(argv[i]);
    if (setting.starts_with("comment.when=")) settings.comment_when = setting.substr(13);
    if (setting.starts_with("github.checks=")) settings.github.checks = setting.substr(14);
    if (setting.starts_with("github.deployments=")) settings.github.deployments = setting.substr(19);
  }
  QuickTime time(std::stoi(argv[2]));
  report::Progress progress([](std::string_view) {}, [] { return 0.0; });
  store::FolderStore store("/nonexistent");
  const flow::Context context{.repository_root = ".",
                              .environment = environment,
                              .settings = settings,
                              .origin = run->origin,
                              .run_id = run->id,
                              .started = io::now(),
                              .progress = progress,
                              .store = store,
                              .cache = {},
                              .scratch = {}};
  flow::Announcement announcement(context,
                                  {[&](std::stop_token stop) { return io::curl_client(environment, stop); }, time});
  announcement.stages_ended(*run);
  announcement.conclude(*run, "https://reports.test/run");
  std::cout << nlohmann::json{{"notes", announcement.notes()},
                              {"commands", announcement.commands()},
                              {"waited", static_cast<double>(time.waited.count()) / 1000}}
            << '\n';
  return 0;
}
