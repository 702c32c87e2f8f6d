// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "change/beneath.hpp"
#include "change/git.hpp"
#include "change/links.hpp"
#include "change/paths.hpp"
#include "change/tree_walk.hpp"

namespace offshoot::change {

namespace {

constexpr std::size_t max_link = 4096;

bool equals_dot_git(std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(name, std::string_view(".git"), {}, lower);
}

/// Names that no honest tree holds, and that would lead elsewhere or make a repository of the copy.
bool forbidden(std::string_view name) {
  return name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
         equals_dot_git(name);
}

tl::unexpected<Failed> cannot_write(std::string_view path, int error) {
  return failed(ExitStatus::could_not_run, fmt::format("writing '{}' of a temporary work tree", path),
                std::strerror(error));
}

Result<void> write_all(int file, std::string_view bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// Writes one tree. The folder of the file before is kept open, since its neighbours come next.
class Export {
 public:
  Export(git_repository* repository, int root) : repository_(repository), root_(root) {}

  Result<bool> entry(const TreeEntry& entry) {
    if (forbidden(entry.name)) {
      result_.skipped.push_back(entry.path);
      return false;
    }
    switch (entry.mode) {
      case GIT_FILEMODE_TREE:
        return folder(entry);
      case GIT_FILEMODE_COMMIT:
        result_.submodules.push_back(entry.path);
        return folder(entry);
      case GIT_FILEMODE_LINK:
        return keep_link(entry);
      default:
        return file(entry);
    }
  }

  /// Links come last, so that no file is ever written through one.
  Result<Exported> finish() {
    for (const auto& [path, target] : links_) {
      if (!follow(links_, path)) {
        result_.skipped.push_back(path);
      } else if (symlinkat(target.c_str(), parent_of(path), name_of(path).c_str()) != 0) {
        return cannot_write(path, errno);
      }
    }
    std::ranges::sort(result_.skipped);
    std::ranges::sort(result_.submodules);
    return std::move(result_);
  }

 private:
  static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

  int parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return root_;
    if (const std::string parent = path.substr(0, slash); !parent_ || parent != parent_path_) {
      parent_.emplace(open_beneath(root_, parent, O_RDONLY | O_DIRECTORY));
      parent_path_ = parent;
    }
    return parent_->get();
  }

  Result<bool> folder(const TreeEntry& entry) {
    if (mkdirat(parent_of(entry.path), entry.name.c_str(), 0755) != 0) return cannot_write(entry.path, errno);
    return true;
  }

  Result<bool> keep_link(const TreeEntry& entry) {
    auto target = blob_bytes(repository_, entry.id, entry.path);
    if (!target) return tl::unexpected(target.error());
    if (target->size() > max_link || target->find('\0') != std::string::npos) {
      result_.skipped.push_back(entry.path);
    } else {
      links_.emplace(entry.path, std::move(*target));
    }
    return true;
  }

  Result<bool> file(const TreeEntry& entry) {
    const auto bytes = blob_bytes(repository_, entry.id, entry.path);
    if (!bytes) return tl::unexpected(bytes.error());
    const mode_t mode = entry.mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0755 : 0644;
    const Descriptor out(
        openat(parent_of(entry.path), entry.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!out.open()) return cannot_write(entry.path, errno);
    if (auto done = write_all(out.get(), *bytes, entry.path); !done) return tl::unexpected(done.error());
    return true;
  }

  git_repository* repository_;
  int root_;
  std::optional<Descriptor> parent_;
  std::string parent_path_;
  Links links_;
  Exported result_;
};

Result<void> make_empty_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const bool empty = !error && std::filesystem::is_empty(folder, error);
  if (error) {
    return failed(ExitStatus::could_not_run, fmt::format("making the folder '{}'", folder.native()), error.message());
  }
  if (!empty) {
    return failed(ExitStatus::could_not_run, fmt::format("writing a work tree to '{}'", folder.native()),
                  "the folder is not empty");
  }
  return {};
}

}  // namespace

Result<Exported> Repository::export_tree(const Commit& commit, const std::filesystem::path& into) const {
  if (auto made = make_empty_folder(into); !made) return tl::unexpected(made.error());
  const Descriptor root = open_folder(into);
  if (!root.open()) return cannot_write(into.native(), errno);
  git_repository* repository = handle_->repository.get();
  const auto tree = tree_of(repository, commit);
  if (!tree) return tl::unexpected(tree.error());
  Export work(repository, root.get());
  auto walked = walk_tree(repository, tree->get(), [&work](const TreeEntry& entry) { return work.entry(entry); });
  if (!walked) return tl::unexpected(walked.error());
  return work.finish();
}

Result<std::vector<std::string>> Repository::linked_places(const Commit& commit, std::string_view folder) const {
  git_repository* repository = handle_->repository.get();
  const auto below = place(".", folder);
  const auto tree = tree_of(repository, commit);
  if (!tree) return tl::unexpected(tree.error());
  Links links;
  auto walked = walk_tree(repository, tree->get(), [&](const TreeEntry& entry) -> Result<bool> {
    if (entry.mode != GIT_FILEMODE_LINK) return true;
    auto target = blob_bytes(repository, entry.id, entry.path);
    if (!target) return tl::unexpected(target.error());
    if (target->size() <= max_link) links.emplace(entry.path, std::move(*target));
    return true;
  });
  if (!walked) return tl::unexpected(walked.error());
  std::vector<std::string> places;
  for (const auto& [path, target] : links) {
    const auto end = below && lies_in(path, *below) ? follow(links, path) : std::nullopt;
    if (!end) continue;
    places.push_back(end->path);
    places.insert(places.end(), end->by.begin(), end->by.end());
  }
  std::erase_if(places, [&](const std::string& path) { return lies_in(path, *below); });
  std::ranges::sort(places);
  places.erase(std::unique(places.begin(), places.end()), places.end());
  return places;
}

}  // namespace offshoot::change
