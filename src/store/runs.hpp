// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "store/store.hpp"
#include "store/transfer.hpp"

namespace offshoot::store {

/// A file of a kept run.
struct KeptFile {
  std::string name{};  ///< within the run's folder: "compiled/models/a.sql"
  std::uint64_t size = 0;
  std::string sha256{};
};

/// What a kept run is told and found by: its index.json, which is written last. A folder without one is a run that did
/// not get so far, and is read by nobody (requirement J5).
struct RunIndex {
  std::string id{};
  std::string started{};  ///< RFC 3339
  std::string command{};
  std::string ref{};
  int pull_request = 0;  ///< 0 = none
  std::string head{};    ///< sha; empty where no head was found
  int status = 0;        ///< exit status
  std::string headline{};
  std::vector<KeptFile> files{};
};

/// Where a run's files are: `<repository id>/runs/<date>/<run>`.
std::string run_folder(const std::string& repository_id, const std::string& started, const std::string& id);

/// A file to keep: where it is now, and its name in the run's folder.
struct FileToKeep {
  std::string name{};
  std::filesystem::path file{};
};

/// Keeps a run: its files, several at once, then its index, which gets their sizes and checksums. Files that are there
/// already with the same content are not sent again. Never over another run: an index that is there and differs is an
/// error.
Result<void> keep_run(Store& store, const std::string& folder, RunIndex index, const std::vector<FileToKeep>& files,
                      const std::stop_token& stop = {});

/// The newest runs, the newest first.
Result<std::vector<RunIndex>> newest_runs(Store& store, const std::string& repository_id, std::size_t most);

/// A kept run and the folder that it lies in.
struct FoundRun {
  std::string folder{};
  RunIndex index{};
};

/// The run of that id, or the only one whose id begins so; "last" is the newest. Absent when there is none.
Result<std::optional<FoundRun>> find_run(Store& store, const std::string& repository_id, const std::string& id);

/// The bytes of one of its files, checked against the index.
Result<std::string> file_of(Store& store, const FoundRun& run, const std::string& name);

/// What retention removed, or would.
struct Pruned {
  std::size_t runs = 0;
  std::size_t objects = 0;
};

/// Removes runs that began before `before`, whether they have an index or not: the index first, so that what is left
/// of an interrupted removal is no run. States of branches' bases that were written before then go as well: they are
/// made again.
Result<Pruned> prune(Store& store, const std::string& repository_id, io::Instant before, bool dry_run);

}  // namespace offshoot::store
