// SPDX-License-Identifier: Apache-2.0
#include "branch/folders.hpp"

#include <unistd.h>

#include <algorithm>

#include "branch/mark.hpp"
#include "branch/names.hpp"
#include "io/files.hpp"
#include "io/json.hpp"

namespace offshoot::branch {

namespace fs = std::filesystem;

namespace {

constexpr const char* mark_name = "offshoot.json";

std::optional<OwnerMark> mark_in(const fs::path& folder) {
  const auto bytes = io::read_file(folder / mark_name, 1U << 16);
  const auto json = bytes ? io::parse_json(*bytes, "reading a mark") : tl::unexpected(bytes.error());
  auto mark = json ? parse_mark(*json) : tl::unexpected(json.error());
  return mark ? std::optional(std::move(*mark)) : std::nullopt;
}

}  // namespace

Result<void> create_folder(const fs::path& folder, const OwnerMark& mark) {
  std::error_code error;
  if (!fs::create_directory(folder, error) || error) {
    return failed(ExitStatus::could_not_run, "making the folder " + folder.string(),
                  error ? error.message() : "it exists already");
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  return io::write_file(folder / mark_name, io::to_line(to_json(mark)) + "\n", 0600);
}

Listing list_folders(const fs::path& folder, const DropContext& context) {
  Listing listing;
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const bool is_folder = it->is_directory(error) && !it->is_symlink(error);
    if (is_folder && is_branch_name(it->path().filename().string(), context.prefix)) folders.push_back(it->path());
  }
  std::ranges::sort(folders);
  for (const auto& path : folders) {
    if (::rmdir(path.c_str()) == 0) continue;
    const Marked marked{path.filename().string(), mark_in(path)};
    if (const auto reason = why_not_drop(marked, context)) {
      listing.left.push_back(*reason);
    } else {
      listing.branches.push_back({*marked.mark, {}, path});
    }
  }
  return listing;
}

Result<void> drop_folder(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename() != mark_name && it->is_regular_file(error)) fs::remove(it->path(), error);
  }
  // The mark goes last: until then the next run finds what is left.
  const auto others = std::distance(fs::directory_iterator(folder, error), fs::directory_iterator());
  if (others > 1) {
    return failed(ExitStatus::refused, "dropping " + folder.string(), "it holds files that offshoot did not put there",
                  "move them away");
  }
  fs::remove(folder / mark_name, error);
  if (!fs::remove(folder, error))
    return failed(ExitStatus::could_not_run, "dropping " + folder.string(), error.message());
  return {};
}

}  // namespace offshoot::branch
