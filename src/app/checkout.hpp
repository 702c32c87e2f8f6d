// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>

#include "app/event.hpp"
#include "change/repository.hpp"
#include "io/process.hpp"
#include "model/change.hpp"
#include "model/outcome.hpp"

namespace offshoot::app {

/// Another user's repository is opened only where it is the workspace that the runner itself made: in a container that
/// belongs to the runner's user (requirement F3).
change::TrustOwner trust_in_owner(const io::Environment& environment, const std::filesystem::path& folder);

/// Gives a clone of depth 1, as actions/checkout makes it unless told otherwise, the base that it lacks: the first
/// parent of a pull request's merge commit, from the job's own repository with the job's own token (requirement F2).
/// Nothing happens where nothing is missing, where the head is a fork's, or without a token or git: then comparing says
/// what to set. `log` is told when something is fetched.
Result<void> provide_base(const change::Repository& repository, const Event& event,
                          const std::optional<PullRequest>& pull_request, const io::Environment& environment,
                          std::ostream& log);

/// The commit whose offshoot.yml decides, and whose project says what children may see. Absent: the checkout's own.
///
/// For a pull request the base: the first parent of the merge commit that was checked out, else what the event calls
/// the base, if the clone has it. It is never a commit of the head's: where none can be told, that is an error with the
/// fetch-depth to set.
Result<std::optional<Commit>> deciding_commit(const change::Repository& repository, const Event& event,
                                              const std::optional<PullRequest>& pull_request);

/// The default branch as the clone knows it, for what happens when a head is closed or gone: never a commit of the
/// head's.
Result<std::optional<Commit>> commit_of_default_branch(const change::Repository& repository, const Event& event);

}  // namespace offshoot::app
