// SPDX-License-Identifier: Apache-2.0
#include "report/markdown.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "io/files.hpp"
#include "report/escape.hpp"
#include "report/mark.hpp"
#include "report/sections.hpp"
#include "report/words.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t least_limit = 4000;
constexpr std::size_t digest_digits = 16;

/// Writes one comment.
class Comment {
 public:
  Comment(const Run& run, const CommentOptions& options)
      : run_(run), options_(options), telling_(run), digest_(telling_.digest), links_(telling_.links) {}

  /// All but the last line, which takes `last` bytes.
  [[nodiscard]] std::string all_but_the_last_line(std::size_t last) const {
    const std::string head = heading();
    const std::string foot = footer() + "\n";
    const std::size_t limit = std::max(options_.limit, least_limit);
    return head + fit(sections(), limit - head.size() - foot.size() - last) + foot;
  }

 private:
  [[nodiscard]] std::vector<Section> sections() const {
    std::vector<Section> all = stop_sections(telling_);
    const bool stopped = !all.empty();
    const auto add = [&all](std::vector<Section> more) {
      std::move(more.begin(), more.end(), std::back_inserter(all));
    };
    add(note_sections(telling_));
    add(trouble_sections(telling_));
    add(lint_sections(telling_));
    add(deployment_sections(telling_));
    add(plan_sections(telling_));
    add(message_sections(telling_));
    if (!stopped) add(time_sections(telling_));
    return all;
  }

  [[nodiscard]] std::string heading() const {
    const std::string headline =
        fmt::format("## {} {}\n", icon(telling_.verdict.conclusion), text(telling_.verdict.headline));
    std::vector<std::string> about = counts();
    const std::vector<std::string> where = whereabouts();
    const bool own_line = was_built() && telling_.verdict.conclusion != Conclusion::passed;
    if (own_line) return headline + paragraph(about) + paragraph(where);
    about.insert(about.end(), where.begin(), where.end());
    return headline + paragraph(about);
  }

  [[nodiscard]] static std::string paragraph(const std::vector<std::string>& parts) {
    if (parts.empty()) return {};
    std::string line = joined(parts, " · ");
    if (line.front() >= 'a' && line.front() <= 'z') line.front() = static_cast<char>(line.front() - 'a' + 'A');
    return "\n" + line + "\n";
  }

  /// What the headline does not say yet.
  [[nodiscard]] std::vector<std::string> counts() const {
    std::vector<std::string> parts;
    const bool passed = telling_.verdict.conclusion == Conclusion::passed;
    if (run_.build.finished() != nullptr && !passed) {
      if (digest_.objects > 0) {
        parts.push_back(
            fmt::format("**{}** of {} built", digest_.objects_built, digest_.objects_counted(digest_.objects)));
      }
      if (digest_.tests > 0) {
        parts.push_back(
            fmt::format("**{}** of {} passed", digest_.tests_passed, counted(digest_.tests, "test", "tests")));
      }
      if (!digest_.warnings.empty()) parts.push_back(counted(digest_.warnings.size(), "warning", "warnings"));
    }
    if (const Lint* lint = run_.lint.finished(); lint != nullptr && !lint->files.empty()) {
      parts.push_back(digest_.lint_here.empty()
                          ? (lint->unlinted.empty() ? "lint clean" : "lint clean as far as it went")
                          : counted(digest_.lint_here.size(), "lint finding", "lint findings") + " on changed lines");
    }
    if (const Plan* plan = run_.plan.finished(); plan != nullptr && !plan->removed.empty()) {
      parts.push_back(counted(plan->removed.size(), "node removed", "nodes removed"));
    }
    return parts;
  }

  [[nodiscard]] std::vector<std::string> whereabouts() const {
    std::vector<std::string> parts;
    if (const Branch* branch = run_.branch.finished()) {
      const std::string_view kind = branch->isolation == Isolation::database ? "database" : "schema";
      parts.push_back(fmt::format("in {} {}", kind, code(branch->name, 60)));
    }
    if (const Change* change = run_.change.finished()) {
      const std::string head = linked(code(short_sha(proposed(*change))), links_.commit(proposed(*change)));
      const std::string base = linked(code(short_sha(change->base.sha)), links_.commit(change->base.sha));
      const std::string and_more = change->uncommitted ? " with uncommitted changes" : "";
      const std::string merged = change->merge_of.empty() ? "" : " merged into the base";
      parts.push_back(fmt::format("{}{}{} compared with {}", head, merged, and_more, base));
      if (!change->base_is.empty()) parts.back() += fmt::format(" ({})", text(change->base_is, 60));
    }
    if (const Quality* quality = run_.quality.finished(); quality != nullptr && !quality->report.empty()) {
      parts.push_back("Elementary's report: " + code(quality->report, 120));
    }
    parts.push_back(duration(run_.seconds));
    if (!links_.run().empty()) parts.push_back(linked("log", links_.run()));
    if (const std::string report = link_target(options_.report_url); !report.empty()) {
      parts.push_back(linked("full report", report));
    }
    return parts;
  }

  [[nodiscard]] std::string footer() const {
    std::vector<std::string> parts{"offshoot " + text(run_.offshoot_version, 30)};
    if (!run_.id.empty()) parts.push_back("run " + code(run_.id, 60));
    if (!run_.started.empty()) parts.push_back("started " + code(run_.started, 30));
    return fmt::format("\n<sub>{}</sub>\n", joined(parts, " · "));
  }

  [[nodiscard]] bool was_built() const { return run_.build.finished() != nullptr; }

  const Run& run_;
  const CommentOptions& options_;
  Telling telling_;
  const Digest& digest_;
  const Links& links_;
};

/// The run without what differs when nothing does: times, names of this very run, what was found in the store.
Run settled(Run run) {
  run.id.clear();
  run.started.clear();
  run.seconds = 0;
  run.origin.run_url.clear();
  run.times.clear();
  if (Plan* plan = run.plan.finished()) plan->base_state.clear();
  if (Branch* branch = run.branch.finished()) branch->reused = false;
  if (Quality* quality = run.quality.finished()) quality->seconds = 0;
  if (Build* build = run.build.finished()) {
    build->seconds = 0;
    for (NodeResult& result : build->results) result.seconds = 0;
  }
  return run;
}

std::string digest_of(const Run& run, CommentOptions options) {
  options.report_url.clear();  // signed links differ from run to run
  const Run of = settled(run);
  return io::sha256_hex(Comment(of, options).all_but_the_last_line(0)).substr(0, digest_digits);
}

}  // namespace

CommentMark mark_of(const Run& run, const CommentOptions& options) {
  const Change* change = run.change.finished();
  return {.run = run.id, .head = change == nullptr ? "" : proposed(*change), .digest = digest_of(run, options)};
}

std::string comment_markdown(const Run& run, const CommentOptions& options) {
  const std::string last = hidden_line(mark_of(run, options), options.marker) + "\n";
  return Comment(run, options).all_but_the_last_line(last.size()) + last;
}

}  // namespace offshoot::report
