// SPDX-License-Identifier: Apache-2.0
// offshoot.yml: of a run that trusts it, and of a pull request with its base's.
#include "app/settings.hpp"

#include "fuzz.hpp"

using namespace offshoot;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto [head, base] = fuzz::halves(fuzz::view(data, size));
  const app::SettingsSources sources{.file_text = std::string(head),
                                     .environment = {{"GITHUB_TOKEN", "never-to-be-seen"}, {"HOME", "/home/x"}}};
  const auto own = app::load_settings(sources);
  if (!own) fuzz::require(own.error().why.find("never-to-be-seen") == std::string::npos, "no message holds a secret");
  std::vector<std::string> notes;
  (void)app::load_settings_for_pull_request(sources, std::string(base), notes);
  return 0;
}
