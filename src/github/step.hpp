// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "github/client.hpp"
#include "io/process.hpp"
#include "model/announcement.hpp"

namespace offshoot::github {

/// The step of a workflow that we are, as the runner's variables tell. Empty fields: the runner did not say.
struct Step {
  Access access{};
  std::string head_sha{};             ///< of the pull request; where there is none, of the event
  std::string run_id{};               ///< "<run>-<attempt>" of the workflow
  std::string run_url{};              ///< the workflow run's page
  std::filesystem::path output{};     ///< file for outputs
  std::filesystem::path summary{};    ///< file for the job's summary
  std::filesystem::path temporary{};  ///< folder that lives as long as the job
};

/// Whether these are the variables of a step in GitHub Actions.
bool is_step(const io::Environment& environment);

/// Reads the runner's variables and its event. An API that is neither https nor on this machine gets no token.
Step step_of(const io::Environment& environment);

/// An output of the step. All of them are in this table: action.yml and the documentation are checked against it.
struct Output {
  std::string_view name;
  std::string_view about;
};
const std::vector<Output>& outputs_table();

/// A value as the runner reads it from the file for outputs. The delimiter is to be random and fresh. Refused: a name
/// that is not in the table, and a value that holds the delimiter.
Result<std::string> output_block(std::string_view name, std::string_view value, std::string_view delimiter);

/// Sets an output of the step.
Result<void> set_output(const Step& step, std::string_view name, std::string_view value);

/// Most bytes that may be added to the summary before the runner drops all of it.
std::size_t summary_room(const Step& step);
/// Adds to the job's summary.
Result<void> add_to_summary(const Step& step, std::string_view markdown);

/// The annotations as commands to the runner, one a line: at most ten of each level, as it keeps no more, the tenth
/// saying how many more there are.
std::string annotation_commands(const std::vector<Annotation>& annotations);

}  // namespace offshoot::github
