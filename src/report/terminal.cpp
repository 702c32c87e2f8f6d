// SPDX-License-Identifier: Apache-2.0
#include "report/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "report/deployment.hpp"
#include "report/digest.hpp"
#include "report/escape.hpp"
#include "report/paint.hpp"
#include "report/phrases.hpp"
#include "report/verdict.hpp"

namespace offshoot::report {
namespace {

constexpr std::size_t most_failures = 20;
constexpr std::size_t most_lines = 30;  // of any other list

std::string joined(const std::vector<std::string>& parts, std::string_view by) {
  return fmt::format("{}", fmt::join(parts, by));
}

std::string name_of(const std::string& unique_id) { return one_line(short_name(unique_id), 120); }

/// What the headline does not say itself.
std::string_view word(Conclusion conclusion) {
  if (conclusion == Conclusion::passed) return "PASSED";
  return conclusion == Conclusion::findings ? "FAILED" : "";
}

Paint::Tone tone(Conclusion conclusion) {
  if (conclusion == Conclusion::passed) return Paint::Tone::good;
  return conclusion == Conclusion::nothing_to_build ? Paint::Tone::plain : Paint::Tone::bad;
}

/// Several lines of the project's text, each behind a bar. Nothing for no text.
std::string barred(std::string_view raw, std::size_t lines, std::size_t bytes) {
  std::size_t cut = 0;
  const std::string kept = first_lines(raw, lines, bytes, cut);
  if (kept.empty()) return {};
  std::string out = "    │ ";
  for (const char c : kept) out += c == '\n' ? std::string("\n    │ ") : std::string(1, c == '\t' ? ' ' : c);
  if (cut > 0) out += fmt::format("\n    │ … {} more", counted(cut, "line", "lines"));
  return out + "\n";
}

std::string and_more(std::size_t all, std::size_t shown, std::string_view what) {
  return all > shown ? fmt::format("  … and {} more {}\n", all - shown, what) : "";
}

/// Writes the summary of one run.
class Summary {
 public:
  Summary(const Run& run, bool colour) : run_(run), paint_(colour), digest_(run), verdict_(verdict(run)) {}

  [[nodiscard]] std::string str() const {
    const std::string_view label = word(verdict_.conclusion);
    const std::string headline = one_line(verdict_.headline, 200);
    std::string out = label.empty() ? paint_(headline, tone(verdict_.conclusion))
                                    : paint_(label, tone(verdict_.conclusion)) + "  " + headline;
    return "\n" + out + "\n" + stops() + failures() + list("not built", digest_.undone) +
           list("warnings", digest_.warnings) + lint() + unlinted() + unreadable() + verified() + deployment() +
           promotions() + removed() + left_out() + idle() + notes() + facts();
  }

 private:
  [[nodiscard]] std::string stops() const {
    std::string out;
    for (const StageRow& stage : digest_.stages) {
      if (stage.failure == nullptr) continue;
      const Failed& failure = *stage.failure;
      out += fmt::format("\n  {} {}: {}\n", paint_("✗", Paint::Tone::bad), stage.name, one_line(failure.doing));
      out += barred(failure.why, 20, 2000);
      if (failure.place) out += fmt::format("    at {}\n", place(*failure.place));
      if (!failure.hint.empty()) out += fmt::format("    → {}\n", one_line(failure.hint, 400));
    }
    return out;
  }

  [[nodiscard]] static std::string place(const Place& at) {
    const std::string line = at.line > 0 ? fmt::format(":{}", at.line) : "";
    const std::string column = at.line > 0 && at.column > 0 ? fmt::format(":{}", at.column) : "";
    return one_line(at.file) + line + column;
  }

  [[nodiscard]] std::string failures() const {
    std::string out;
    const std::size_t shown = std::min(digest_.failures.size(), most_failures);
    for (std::size_t i = 0; i < shown; ++i) out += failure(digest_.failures[i]);
    return out + and_more(digest_.failures.size(), shown, "failures");
  }

  [[nodiscard]] std::string failure(const Trouble& trouble) const {
    const NodeResult& result = *trouble.result;
    std::vector<std::string> about;
    if (result.failures > 0) {
      about.push_back(counted(static_cast<std::size_t>(result.failures), "row", "rows"));
    }
    if (trouble.node != nullptr) {
      about.push_back(one_line(trouble.node->resource_type, 30));
      if (!trouble.node->file.empty()) about.push_back(one_line(trouble.node->file, 200));
    }
    std::string out = fmt::format("\n  {} {}  {}\n", paint_("✗", Paint::Tone::bad), name_of(result.unique_id),
                                  paint_(joined(about, " · "), Paint::Tone::dim));
    out += barred(result.message, 12, 1500);
    if (!trouble.skipped_below.empty()) {
      std::vector<std::string> names;
      for (const PlannedNode* node : trouble.skipped_below) {
        if (names.size() < 5) names.push_back(name_of(node->unique_id));
      }
      const std::size_t more = trouble.skipped_below.size() - names.size();
      out += fmt::format("    skipped because of it: {}{}\n", joined(names, ", "),
                         more > 0 ? fmt::format(" and {} more", more) : "");
    }
    return out;
  }

  [[nodiscard]] std::string list(std::string_view title, const std::vector<Trouble>& troubles) const {
    if (troubles.empty()) return {};
    std::string out = fmt::format("\n{}\n", title);
    const std::size_t shown = std::min(troubles.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const NodeResult& result = *troubles[i].result;
      const std::string message = result.message.empty() ? "" : ", " + one_line(result.message, 160);
      out += fmt::format("  {} {}: {}{}\n", paint_("!", Paint::Tone::warn), name_of(result.unique_id),
                         status_word(result.status), message);
    }
    return out + and_more(troubles.size(), shown, "nodes");
  }

  [[nodiscard]] std::string unlinted() const {
    const Lint* lint = run_.lint.finished();
    if (lint == nullptr || lint->unlinted.empty()) return {};
    std::string out = "\nchanged, but not linted\n";
    const std::size_t shown = std::min(lint->unlinted.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const Unlinted& file = lint->unlinted[i];
      out += fmt::format("  - {}: {}\n", one_line(file.path, 200), one_line(file.because, 200));
    }
    return out + and_more(lint->unlinted.size(), shown, "files");
  }

  [[nodiscard]] std::string lint() const {
    if (digest_.lint_here.empty()) return {};
    std::string out = "\nlint on changed lines\n";
    const std::size_t shown = std::min(digest_.lint_here.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const LintFinding& finding = *digest_.lint_here[i];
      out += fmt::format("  {} {}:{}:{} {} {}\n",
                         paint_("!", run_.policy.lint_fails ? Paint::Tone::bad : Paint::Tone::warn),
                         one_line(finding.path, 200), finding.line, finding.column, one_line(finding.rule, 40),
                         one_line(finding.message, 200));
    }
    return out + and_more(digest_.lint_here.size(), shown, "findings");
  }

  [[nodiscard]] std::string unreadable() const {
    const Plan* plan = run_.plan.finished();
    if (plan == nullptr || plan->unreadable.empty()) return {};
    std::string out = "\nread, and not to be found\n";
    const std::size_t shown = std::min(plan->unreadable.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const Unreadable& one = plan->unreadable[i];
      out += fmt::format("  {} {}: {}\n", paint_("!", Paint::Tone::warn), name_of(one.unique_id),
                         one_line(unreadable_words(one), 300));
    }
    return out + and_more(plan->unreadable.size(), shown, "relations");
  }

  /// Where dbt was asked for its own selection and has another.
  [[nodiscard]] std::string verified() const {
    const Plan* plan = run_.plan.finished();
    if (plan == nullptr || !plan->verified || *plan->verified == Verified{}) return {};
    std::string out = fmt::format("\n{} {}\n", paint_("!", Paint::Tone::warn), difference_title(*plan->verified));
    for (const auto& [who, ids] :
         {std::pair("dbt", &plan->verified->only_dbt), {"offshoot", &plan->verified->only_here}}) {
      const std::size_t shown = std::min(ids->size(), most_lines);
      for (std::size_t i = 0; i < shown; ++i) out += fmt::format("  - only {}: {}\n", who, one_line((*ids)[i], 200));
      out += and_more(ids->size(), shown, "nodes");
    }
    return out;
  }

  [[nodiscard]] std::string left_out() const {
    const Plan* plan = run_.plan.finished();
    if (plan == nullptr || plan->left_out.empty()) return {};
    std::string out = "\nleft out, where dbt builds\n";
    const std::size_t shown = std::min(plan->left_out.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const LeftOut& node = plan->left_out[i];
      out += fmt::format("  - {}: {}\n", name_of(node.unique_id), one_line(node.because, 200));
    }
    return out + and_more(plan->left_out.size(), shown, "nodes");
  }

  [[nodiscard]] std::string deployment() const {
    const Deployment* deployment = run_.deployment.finished();
    if (deployment == nullptr) return {};
    std::string out = fmt::format("\n{}\n", one_line(deployment_title(*deployment), 160));
    for (const std::string& line : deployment_lines(*deployment)) out += fmt::format("  - {}\n", one_line(line, 400));
    return out;
  }

  [[nodiscard]] std::string promotions() const {
    const Plan* plan = run_.plan.finished();
    if (plan == nullptr || plan->promotions.empty()) return {};
    std::string out = "\npromoted, or built\n";
    const std::size_t shown = std::min(plan->promotions.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const Promotion& one = plan->promotions[i];
      out += fmt::format("  - {}: {}\n", name_of(one.unique_id), one_line(promotion_words(one), 300));
    }
    return out + and_more(plan->promotions.size(), shown, "nodes");
  }

  [[nodiscard]] std::string removed() const {
    const Plan* plan = run_.plan.finished();
    if (plan == nullptr || plan->removed.empty()) return {};
    std::string out = "\nno longer in the project\n";
    const std::size_t shown = std::min(plan->removed.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      out += fmt::format("  - {}: {}\n", name_of(plan->removed[i].unique_id), one_line(plan->removed[i].because, 160));
    }
    return out + and_more(plan->removed.size(), shown, "nodes");
  }

  /// Only where nothing was built: then it is the answer.
  [[nodiscard]] std::string idle() const {
    const Plan* plan = run_.plan.finished();
    if (plan == nullptr || plan->idle_files.empty() || digest_.objects + digest_.tests > 0) return {};
    std::string out = "\nchanged files that select nothing\n";
    const std::size_t shown = std::min(plan->idle_files.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) {
      const IdleFile& file = plan->idle_files[i];
      out += fmt::format("  - {}: {}\n", one_line(file.path, 200), one_line(file.because, 160));
    }
    return out + and_more(plan->idle_files.size(), shown, "files");
  }

  [[nodiscard]] std::string notes() const {
    std::vector<std::string> all = run_.notes;
    if (const Plan* plan = run_.plan.finished()) all.insert(all.end(), plan->notes.begin(), plan->notes.end());
    std::string out = all.empty() ? "" : "\nnotes\n";
    const std::size_t shown = std::min(all.size(), most_lines);
    for (std::size_t i = 0; i < shown; ++i) out += fmt::format("  - {}\n", one_line(all[i], 400));
    return out + and_more(all.size(), shown, "notes");
  }

  [[nodiscard]] std::string facts() const {
    std::string out = "\n";
    const auto fact = [&](std::string_view name, const std::string& value) {
      if (!value.empty()) out += fmt::format("  {} {}\n", paint_(fmt::format("{:<8}", name), Paint::Tone::dim), value);
    };
    if (run_.build.finished() != nullptr) {
      fact("build", fmt::format("{} of {} built, {} of {} passed", digest_.objects_built,
                                digest_.objects_counted(digest_.objects), digest_.tests_passed,
                                counted(digest_.tests, "test", "tests")));
    }
    if (const Lint* lint = run_.lint.finished(); lint != nullptr && !lint->files.empty()) {
      fact("lint", fmt::format("{} on changed lines, {} elsewhere, in {}", digest_.lint_here.size(),
                               digest_.lint_elsewhere, counted(lint->files.size(), "file", "files")));
    }
    if (const Branch* branch = run_.branch.finished()) {
      const std::string place = branch->path.empty() ? branch->database : branch->path;
      const std::string rows = rows_of_production(*branch);
      fact("branch", one_line(branch->name, 60) + (place.empty() ? "" : " in " + one_line(place, 200)) +
                         (rows.empty() ? "" : ", with " + rows));
    }
    if (const Change* change = run_.change.finished()) {
      fact("commit", fmt::format("{} compared with {}{}", one_line(short_sha(proposed(*change))),
                                 one_line(short_sha(change->base.sha)),
                                 change->base_is.empty() ? "" : fmt::format(" ({})", one_line(change->base_is, 80))));
    }
    if (const Quality* quality = run_.quality.finished()) fact("report", one_line(quality->report, 120));
    fact("run", one_line(run_.id, 80));
    fact("log", one_line(run_.origin.run_url, 400));
    fact("time", duration(run_.seconds));
    return out;
  }

  const Run& run_;
  Paint paint_;
  Digest digest_;
  Verdict verdict_;
};

}  // namespace

std::string terminal_summary(const Run& run, bool colour) { return without_commands(Summary(run, colour).str()); }

}  // namespace offshoot::report
