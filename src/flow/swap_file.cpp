// SPDX-License-Identifier: Apache-2.0
// DuckDB: the whole file is copied, the build goes into the copy, and the copy takes the file's name.
#include <fmt/format.h>

#include <thread>

#include "branch/folders.hpp"
#include "branch/mark.hpp"
#include "dbt/profiles.hpp"
#include "flow/swap.hpp"
#include "io/locked_file.hpp"

namespace offshoot::flow {

namespace fs = std::filesystem;

namespace {

constexpr auto doing_stage = "building beside production";
constexpr auto doing_exchange = "exchanging production for what was built";

fs::path log_of(const fs::path& file) { return file.string() + ".wal"; }

}  // namespace

Result<std::optional<io::LockedFile>> lock_file(const Context& context, const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::optional<io::LockedFile>{};
  const io::Stopwatch watch;
  const double limit = std::chrono::duration<double>(context.settings.deploy.lock).count();
  while (true) {
    auto locked = io::LockedFile::lock(file);
    if (!locked || *locked) return locked;
    if (watch.seconds() > limit || context.stop.stop_requested()) {
      return failed(ExitStatus::could_not_run, doing_stage,
                    fmt::format("{} is held for writing by another process", file.string()),
                    "let it end, or set deploy.lock higher");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

namespace {

class FileSwap final : public Swap {
 public:
  FileSwap(const Context& context, dbt::Session& session) : context_(context), session_(session) {}

  Result<void> prepare(const ProjectAtHand& at_production, const DeployPlan& plan, const Branch& place) {
    std::error_code error;
    const fs::path& path = plan.credentials.path;
    if (path.empty() || path == ":memory:" || plan.credentials.path.starts_with("md:")) {
      return failed(ExitStatus::usage, doing_stage, "production is no DuckDB file here", "set deploy.mode to in-place");
    }
    // Where a symbolic link leads to: the link must stay one.
    file_ = fs::weakly_canonical(at_production.folder / path, error);
    const dbt::WarehouseAt at{at_production.profile.file.parent_path(), at_production.profile.name,
                              at_production.target};
    if (fs::exists(log_of(file_), error)) {
      // Opened and closed, DuckDB writes its log into the file.
      if (auto opened = session_.list_relations(at, {{"", plan.credentials.schema}}); !opened) {
        return tl::unexpected(opened.error());
      }
    }
    auto locked = lock_file(context_, file_);
    if (!locked) return tl::unexpected(locked.error());
    lock_ = std::move(*locked);
    if (fs::exists(log_of(file_), error)) {
      return failed(ExitStatus::could_not_run, doing_stage,
                    fmt::format("{} has changes that are not in the file yet", log_of(file_).string()),
                    "close the process that writes to it");
    }

    const fs::path folder = file_.parent_path() / place.name;
    kept_ = Kept{.branch = place.name,
                 .until = place.mark.expires,
                 .file = (folder / ("before-" + file_.filename().string())).string(),
                 .staged = (folder / file_.filename()).string()};
    if (auto made = branch::create_folder(folder, place.mark); !made) return made;
    if (lock_) {
      if (auto copied = io::copy_to_disk(file_, kept_.staged); !copied) return copied;
    }
    planned_ = plan.planned;
    leaving_ = plan.leaving;
    profile_ = at_production.profile;
    planned_.at.profiles_dir = context_.scratch / "staging-profile";
    auto written = dbt::write_profile(at_production.profile, at_production.target, dbt::OtherFile{kept_.staged, {}},
                                      planned_.at.profiles_dir);
    if (!written) return written;
    planned_.handle = "staging";
    const auto resolved = session_.resolve({planned_.at, "production", planned_.handle});
    if (!resolved) return tl::unexpected(resolved.error());
    for (const auto& node : planned_.plan.nodes) {
      const auto found = resolved->nodes.find(node.unique_id);
      if (found != resolved->nodes.end() && found->second.relation.rendered != node.relation.rendered) {
        return failed(ExitStatus::refused, doing_stage,
                      fmt::format("{} would be called {} in the copy, and is {} in production", node.unique_id,
                                  found->second.relation.rendered, node.relation.rendered),
                      "name relations by target.database and target.schema, or set deploy.mode to in-place");
      }
    }
    return {};
  }

  [[nodiscard]] const Planned& planned() const override { return planned_; }
  [[nodiscard]] const Kept& kept() const override { return kept_; }
  [[nodiscard]] const std::map<std::string, std::string>& names_beside() const override { return names_; }

  Result<std::map<std::string, std::string>> copy_from(const Branch& branch,
                                                       const std::map<std::string, RelationName>& in_branch) override {
    const std::string doing = "copying from the branch " + branch.name;
    std::error_code error;
    if (!fs::is_regular_file(fs::symlink_status(branch.path, error))) {
      return failed(ExitStatus::could_not_run, doing, "its file is not there any more");
    }
    const fs::path folder = context_.scratch / "promoting-profile";
    auto written = dbt::write_profile(profile_, planned_.at.target,
                                      dbt::OtherFile{kept_.staged, {{branch.path, branch.database}}}, folder);
    if (!written) return tl::unexpected(written.error());
    const dbt::WarehouseAt at{folder, planned_.at.profile, planned_.at.target};
    auto left = copy_from_branch(branch, in_branch, planned_.plan, at, session_,
                                 [](const std::string& schema) { return schema; });
    if (auto released = session_.release(); !released) return tl::unexpected(released.error());
    return left;
  }

  Result<Exchanged> exchange() override {
    std::error_code error;
    if (auto dropped = drop_leaving(); !dropped) return tl::unexpected(dropped.error());
    if (fs::exists(log_of(kept_.staged), error)) {
      return failed(ExitStatus::could_not_run, doing_exchange, "the new file was not closed",
                    "this is a bug in offshoot; production is as it was");
    }
    const bool appeared = !lock_ && fs::exists(file_, error);
    if (appeared || (lock_ && !lock_->is_as_it_was())) {
      return failed(ExitStatus::could_not_run, doing_exchange,
                    fmt::format("{} was written to meanwhile", file_.string()),
                    "deploy again: production is left as that writer made it");
    }
    if (auto exchanged = exchange_files(kept_.staged, file_, kept_.file); !exchanged) {
      return tl::unexpected(exchanged.error());
    }
    lock_.reset();  // production's new file can be opened by anyone
    return Exchanged{{file_.string()}, {}};
  }

  Result<void> discard() override {
    lock_.reset();
    return branch::drop_folder(fs::path(kept_.staged).parent_path());
  }

 private:
  /// Takes relations of removed models out of the new file.
  Result<void> drop_leaving() {
    if (leaving_.empty()) return {};
    nlohmann::json relations = nlohmann::json::array();
    for (const auto& one : leaving_) relations.push_back({{"schema", one.schema}, {"name", one.identifier}});
    const dbt::WarehouseAt staged{planned_.at.profiles_dir, planned_.at.profile, planned_.at.target};
    const auto answer = session_.macro(staged, "drop_removed_relations", {{"relations", relations}});
    if (!answer) return tl::unexpected(answer.error());
    return {};
  }

  const Context& context_;
  dbt::Session& session_;
  fs::path file_;
  std::optional<io::LockedFile> lock_{};
  dbt::Profile profile_{};
  std::map<std::string, std::string> names_{};  ///< none: the copy is called as production's file is
  Planned planned_{};
  std::vector<RelationName> leaving_{};
  Kept kept_{};
};

}  // namespace

Result<void> exchange_files(const fs::path& next, const fs::path& current, const fs::path& previous) {
  std::error_code error;
  if (fs::exists(log_of(current), error)) {
    return failed(ExitStatus::could_not_run, doing_exchange,
                  fmt::format("{} has changes that are not in the file yet", log_of(current).string()),
                  "close the process that writes to it");
  }
  if (auto synced = io::sync(next); !synced) return synced;
  if (fs::exists(current, error)) {
    fs::remove(previous, error);
    fs::create_hard_link(current, previous, error);
    if (error) {
      return failed(ExitStatus::could_not_run, doing_exchange,
                    fmt::format("{} cannot be kept as {}: {}", current.string(), previous.string(), error.message()));
    }
  }
  if (auto synced = io::sync(previous.parent_path()); !synced) return synced;
  fs::rename(next, current, error);
  if (error) return failed(ExitStatus::could_not_run, doing_exchange, error.message());
  return io::sync(current.parent_path());
}

Result<std::unique_ptr<Swap>> stage_file(const Context& context, const ProjectAtHand& at_production,
                                         const DeployPlan& plan, dbt::Session& session) {
  auto place = place_beside(context, at_production.target);
  if (!place) return tl::unexpected(place.error());
  auto swap = std::make_unique<FileSwap>(context, session);
  if (auto prepared = swap->prepare(at_production, plan, *place); !prepared) {
    return tl::unexpected(prepared.error());
  }
  return swap;
}

}  // namespace offshoot::flow
