// SPDX-License-Identifier: Apache-2.0
#include "store/runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::store {

namespace {

constexpr const char* index_name = "/index.json";

std::string to_text(const RunIndex& index) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& file : index.files) {
    files.push_back({{"name", file.name}, {"size", file.size}, {"sha256", file.sha256}});
  }
  return io::to_line(nlohmann::ordered_json{{"version", 1},
                                            {"id", index.id},
                                            {"started", index.started},
                                            {"command", index.command},
                                            {"ref", index.ref},
                                            {"pull_request", index.pull_request},
                                            {"head", index.head},
                                            {"status", index.status},
                                            {"headline", index.headline},
                                            {"files", files}}) +
         "\n";
}

Result<RunIndex> parse(const std::string& bytes, const std::string& doing) {
  const auto json = io::parse_json(bytes, doing);
  if (!json) return tl::unexpected(json.error());
  try {
    if (json->at("version") != 1) {
      return failed(ExitStatus::could_not_run, doing, "it was written by another version of offshoot");
    }
    RunIndex index{json->at("id").get<std::string>(),
                   json->at("started").get<std::string>(),
                   json->at("command").get<std::string>(),
                   json->at("ref").get<std::string>(),
                   json->at("pull_request").get<int>(),
                   json->at("head").get<std::string>(),
                   json->at("status").get<int>(),
                   json->at("headline").get<std::string>(),
                   {}};
    for (const auto& file : json->at("files")) {
      index.files.push_back({file.at("name").get<std::string>(), file.at("size").get<std::uint64_t>(),
                             file.at("sha256").get<std::string>()});
    }
    return index;
  } catch (const nlohmann::json::exception&) {
    return failed(ExitStatus::could_not_run, doing, "it is not the index of a run");
  }
}

/// `<repository id>/runs/<date>/<run>` of any key below it; empty where it is too short.
std::string folder_of(const std::string& key, const std::string& runs) {
  const auto date_end = key.find('/', runs.size());
  if (date_end == std::string::npos) return {};
  const auto run_end = key.find('/', date_end + 1);
  return run_end == std::string::npos ? std::string() : key.substr(0, run_end);
}

std::string runs_of(const std::string& repository_id) { return repository_id + "/runs/"; }

/// The folders of all runs that have an index, the newest first: a run's id begins with its time. `day`: only those of
/// one day ("2026-11-25"); empty = all.
Result<std::vector<std::string>> complete_folders(Store& store, const std::string& repository_id,
                                                  const std::string& day = "") {
  const std::string prefix = runs_of(repository_id) + (day.empty() ? "" : day + "/");
  return store.list(prefix).map([&](const std::vector<std::string>& keys) {
    std::vector<std::string> folders;
    for (const auto& key : keys) {
      const std::string folder = folder_of(key, runs_of(repository_id));
      if (!folder.empty() && key == folder + index_name) folders.push_back(folder);
    }
    std::ranges::sort(folders, std::greater<>());
    return folders;
  });
}

/// Of the last days, and only where these do not suffice of all: a listing has every file of every run.
Result<std::vector<std::string>> newest_folders(Store& store, const std::string& repository_id, std::size_t most) {
  constexpr int days = 3;
  std::vector<std::string> newest;
  for (int ago = 0; ago < days; ++ago) {
    const std::string day = io::rfc3339(io::now() - std::chrono::hours(24 * ago)).substr(0, 10);
    auto folders = complete_folders(store, repository_id, day);
    if (!folders) return folders;
    newest.insert(newest.end(), folders->begin(), folders->end());
    if (newest.size() >= most) return newest;
  }
  return complete_folders(store, repository_id);
}

/// The day in an id that begins with one: "2026-11-25" of "20261125T171803Z-…"; else empty.
std::string day_of(const std::string& id) {
  constexpr std::size_t digits = 8;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (id.size() < digits || !std::all_of(id.begin(), id.begin() + digits, is_digit)) return {};
  return id.substr(0, 4) + "-" + id.substr(4, 2) + "-" + id.substr(6, 2);
}

}  // namespace

std::string run_folder(const std::string& repository_id, const std::string& started, const std::string& id) {
  return runs_of(repository_id) + started.substr(0, 10) + "/" + id;
}

Result<void> keep_run(Store& store, const std::string& folder, RunIndex index, const std::vector<FileToKeep>& files,
                      const std::stop_token& stop) {
  std::vector<Transfer> transfers;
  for (const auto& file : files) {
    const auto sha256 = io::sha256_hex_of_file(file.file);
    if (!sha256) return tl::unexpected(sha256.error());
    std::error_code error;
    index.files.push_back({file.name, std::filesystem::file_size(file.file, error), *sha256});
    transfers.push_back({folder + "/" + file.name, file.file, {.sha256 = *sha256}});
  }
  if (auto put = put_files(store, transfers, stop); !put) return put;
  // From here all files are whole: the index makes them a run.
  const std::string text = to_text(index);
  const auto written = store.put_if(folder + index_name, text, std::nullopt);
  if (!written) return tl::unexpected(written.error());
  if (written->written) return {};
  const auto there = store.get(folder + index_name);
  if (!there) return tl::unexpected(there.error());
  if (*there && **there == text) return {};
  return failed(ExitStatus::refused, "keeping the run in " + store.location(folder),
                "another run of this id is kept there");
}

Result<std::vector<RunIndex>> newest_runs(Store& store, const std::string& repository_id, std::size_t most) {
  auto folders = newest_folders(store, repository_id, most);
  if (!folders) return tl::unexpected(folders.error());
  folders->resize(std::min(most, folders->size()));
  std::vector<std::string> keys;
  for (const auto& folder : *folders) keys.push_back(folder + index_name);
  const auto texts = get_all(store, keys);
  if (!texts) return tl::unexpected(texts.error());
  std::vector<RunIndex> runs;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!(*texts)[i]) continue;  // removed since it was listed
    auto index = parse(*(*texts)[i], "reading " + store.location(keys[i]));
    if (!index) return tl::unexpected(index.error());
    runs.push_back(std::move(*index));
  }
  return runs;
}

Result<std::optional<FoundRun>> find_run(Store& store, const std::string& repository_id, const std::string& id) {
  const auto folders =
      id == "last" ? newest_folders(store, repository_id, 1) : complete_folders(store, repository_id, day_of(id));
  if (!folders) return tl::unexpected(folders.error());
  std::vector<std::string> found;
  for (const auto& folder : *folders) {
    const std::string name = folder.substr(folder.rfind('/') + 1);
    if (name == id || (id == "last" && found.empty())) {
      found = {folder};
      break;
    }
    if (id.size() >= 4 && name.starts_with(id)) found.push_back(folder);
  }
  if (found.size() > 1) {
    return failed(ExitStatus::usage, "looking for the run " + id, fmt::format("{} runs begin so", found.size()),
                  "write more of its id; offshoot runs lists them");
  }
  if (found.empty()) return std::optional<FoundRun>{};
  const std::string key = found.front() + index_name;
  const auto text = store.get(key);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::optional<FoundRun>{};
  auto index = parse(**text, "reading " + store.location(key));
  if (!index) return tl::unexpected(index.error());
  return std::optional(FoundRun{found.front(), std::move(*index)});
}

Result<std::string> file_of(Store& store, const FoundRun& run, const std::string& name) {
  const std::string doing = fmt::format("reading {} of the run {}", name, run.index.id);
  const auto file = std::ranges::find(run.index.files, name, &KeptFile::name);
  if (file == run.index.files.end()) return failed(ExitStatus::usage, doing, "the run has no such file");
  auto bytes = store.get(run.folder + "/" + name);
  if (!bytes) return tl::unexpected(bytes.error());
  if (!*bytes) return failed(ExitStatus::could_not_run, doing, "it is gone from the store");
  if (io::sha256_hex(**bytes) != file->sha256) {
    return failed(ExitStatus::could_not_run, doing, "its bytes do not match the checksum in index.json");
  }
  return std::move(**bytes);
}

Result<Pruned> prune(Store& store, const std::string& repository_id, io::Instant before, bool dry_run) {
  const auto objects = store.list_objects(repository_id + "/");
  if (!objects) return tl::unexpected(objects.error());
  const std::string last_day = io::rfc3339(before).substr(0, 10);
  const std::string runs = runs_of(repository_id);
  const std::string states = repository_id + "/state/base/";
  std::set<std::string> folders;  // of runs
  std::vector<std::string> indexes;
  std::vector<std::string> others;
  std::map<std::string, io::Instant> state_times;  // the newest of each state's objects
  const auto state_of = [&](const std::string& key) { return key.substr(0, key.find('/', states.size())); };
  for (const auto& object : *objects) {
    if (!object.key.starts_with(states)) continue;
    auto& newest = state_times[state_of(object.key)];
    newest = std::max(newest, object.modified);
  }
  for (const auto& object : *objects) {
    if (object.key.starts_with(states) && state_times[state_of(object.key)] < before) others.push_back(object.key);
    if (!object.key.starts_with(runs)) continue;
    const std::string folder = folder_of(object.key, runs);
    const std::string date = object.key.substr(runs.size(), 10);
    if (folder.empty() || date >= last_day || object.modified >= before) continue;
    folders.insert(folder);
    (object.key == folder + index_name ? indexes : others).push_back(object.key);
  }
  if (!dry_run) {
    if (auto removed = remove_all(store, indexes); !removed) return tl::unexpected(removed.error());
    if (auto removed = remove_all(store, others); !removed) return tl::unexpected(removed.error());
  }
  return Pruned{folders.size(), indexes.size() + others.size()};
}

}  // namespace offshoot::store
