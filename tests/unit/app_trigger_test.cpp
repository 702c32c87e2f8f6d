// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "app/event.hpp"
#include "app/trigger.hpp"

namespace offshoot::app {
namespace {

const std::string head_sha(40, 'a');
const std::string other_sha(40, 'b');

/// A payload as GitHub sends it, with only what is looked at. `head_repository` is JSON.
Event pull_request(const std::string& action, const std::string& head_repository = R"({"id": 11})",
                   const std::string& more = R"("draft": false, "labels": [])",
                   const std::string& name = "pull_request") {
  const auto payload = fmt::format(
      R"({{"action": "{}", "repository": {{"id": 11, "default_branch": "main"}}, "label": {{"name": "build-me"}},
           "pull_request": {{"number": 7, "state": "open", {},
             "head": {{"sha": "{}", "ref": "feature", "repo": {}}},
             "base": {{"sha": "{}", "ref": "main", "repo": {{"id": 11}}}}}}}})",
      action, more, head_sha, head_repository, other_sha);
  const auto event = read_event(name, payload);
  EXPECT_TRUE(event) << (event ? "" : event.error().why);
  return *event;
}

Event read(std::string_view name, std::string_view payload) {
  const auto event = read_event(name, payload);
  EXPECT_TRUE(event) << (event ? "" : event.error().why);
  return event.value_or(Event{});
}

Event comment(const std::string& body, const std::string& action = "created", const std::string& user_type = "User",
              bool on_pull_request = true) {
  return read("issue_comment", fmt::format(R"({{"action": "{}", "repository": {{"id": 11, "default_branch": "main"}},
                  "issue": {{"number": 7{}}},
                  "comment": {{"body": "{}", "user": {{"login": "ann", "type": "{}"}}}}}})",
                                           action, on_pull_request ? R"(, "pull_request": {})" : "", body, user_type));
}

TEST(Decide, PullRequestsAreChecked) {
  for (const auto* action : {"opened", "synchronize", "reopened", "ready_for_review"}) {
    const auto decision = decide(pull_request(action), {});
    EXPECT_EQ(decision.errand, Errand::check) << action;
    EXPECT_EQ(decision.pull_request, 7);
    EXPECT_FALSE(decision.reasons.empty());
  }
  for (const auto* action : {"assigned", "edited", "unlabeled", "locked", "labeled", "converted_to_draft", ""}) {
    EXPECT_EQ(decide(pull_request(action), {}).errand, Errand::nothing) << action;
  }
}

TEST(Decide, AClosedOneIsCleanedWhateverTheSettings) {
  Settings settings;
  settings.events = {.drafts = "skip", .label = "build-me", .skip_label = "no"};
  const auto decision =
      decide(pull_request("closed", "null", R"("draft": true, "labels": [{"name": "no"}])"), settings);
  EXPECT_EQ(decision.errand, Errand::clean_one);
  EXPECT_EQ(decision.pull_request, 7);
}

TEST(Decide, AMergedOneIsLeftToADeployThatPromotes) {
  Settings settings;
  settings.deploy.mode = "promote";
  const auto merged = pull_request("closed", R"({"id": 11})", R"("merged": true)");
  const auto left = decide(merged, settings);
  EXPECT_EQ(left.errand, Errand::nothing);
  EXPECT_NE(left.reasons.at(0).find("its branch stays"), std::string::npos);
  EXPECT_EQ(decide(merged, {}).errand, Errand::clean_one) << "other modes need no branch";
  EXPECT_EQ(decide(pull_request("closed", R"({"id": 11})", R"("merged": false)"), settings).errand, Errand::clean_one);
}

TEST(Decide, DraftsAndLabelsAreSettings) {
  Settings settings;
  settings.events.drafts = "skip";
  EXPECT_EQ(decide(pull_request("opened", R"({"id": 11})", R"("draft": true, "labels": [])"), settings).errand,
            Errand::nothing);
  EXPECT_EQ(decide(pull_request("opened"), settings).errand, Errand::check);
  settings.events = {.label = "build-me"};
  EXPECT_EQ(decide(pull_request("opened"), settings).errand, Errand::nothing);
  const auto labelled = R"("draft": false, "labels": [{"name": "build-me"}])";
  EXPECT_EQ(decide(pull_request("opened", R"({"id": 11})", labelled), settings).errand, Errand::check);
  EXPECT_EQ(decide(pull_request("labeled", R"({"id": 11})", labelled), settings).errand, Errand::check);
  settings.events = {.skip_label = "build-me"};
  EXPECT_EQ(decide(pull_request("opened", R"({"id": 11})", labelled), settings).errand, Errand::nothing);
}

TEST(Decide, PushesDeployTheDefaultBranchAlone) {
  const auto push = [](const std::string& ref, bool deleted) {
    return decide(
               read("push", fmt::format(R"({{"ref": "{}", "deleted": {}, "repository": {{"default_branch": "main"}}}})",
                                        ref, deleted)),
               {})
        .errand;
  };
  EXPECT_EQ(push("refs/heads/main", false), Errand::deploy);
  EXPECT_EQ(push("refs/heads/main", true), Errand::nothing);
  EXPECT_EQ(push("refs/heads/maintenance", false), Errand::nothing);
  EXPECT_EQ(push("refs/tags/main", false), Errand::nothing);
}

TEST(Decide, SchedulesSweepAndDispatchesSayWhat) {
  EXPECT_EQ(decide(read("schedule", "{}"), {}).errand, Errand::sweep);
  const auto dispatch = [](const std::string& ref, const std::string& inputs) {
    return decide(
        read("workflow_dispatch",
             fmt::format(R"({{"ref": "{}", "inputs": {}, "repository": {{"default_branch": "main"}}}})", ref, inputs)),
        {});
  };
  const auto deploy = dispatch("refs/heads/main", R"({"select": "tag:daily", "full_refresh": true})");
  EXPECT_EQ(deploy.errand, Errand::deploy);
  EXPECT_EQ(deploy.wishes.select, "tag:daily");
  EXPECT_TRUE(deploy.wishes.full_refresh);
  EXPECT_EQ(dispatch("refs/heads/x", "null").errand, Errand::run);
  EXPECT_EQ(dispatch("refs/heads/x", R"({"command": "deploy"})").errand, Errand::refuse);
  EXPECT_EQ(dispatch("refs/heads/main", R"({"command": "clean"})").errand, Errand::sweep);
  EXPECT_EQ(dispatch("refs/heads/main", R"({"command": "rm -rf"})").errand, Errand::refuse);
}

TEST(Decide, WhatIsStartedByHandKeepsItsWishes) {
  const auto dispatch = [](const std::string& ref, const std::string& inputs) {
    return decide(
        read("workflow_dispatch",
             fmt::format(R"({{"ref": "{}", "inputs": {}, "repository": {{"default_branch": "main"}}}})", ref, inputs)),
        {});
  };
  const auto run =
      dispatch("refs/heads/main", R"({"command": "run", "ref": "v1", "target": "prod", "vars": "{\"a\": 1}", )"
                                  R"("select": "a", "full_refresh": "true"})");
  EXPECT_EQ(run.errand, Errand::run);
  EXPECT_EQ(run.wishes,
            (Wishes{.full_refresh = true, .select = "a", .ref = "v1", .target = "prod", .vars = R"({"a": 1})"}));
  const auto rerun = dispatch("refs/heads/main", R"({"from_failure": "20260101T000000Z-1-1"})");
  EXPECT_EQ(rerun.errand, Errand::run);
  EXPECT_EQ(rerun.wishes.from_failure, "20260101T000000Z-1-1");
  const auto back = dispatch("refs/heads/main", R"({"command": "rollback", "to": "1a2b3c4"})");
  EXPECT_EQ(back.errand, Errand::rollback);
  EXPECT_EQ(back.wishes.to, "1a2b3c4");
  EXPECT_EQ(dispatch("refs/heads/x", R"({"command": "rollback", "to": "1a2b3c4"})").errand, Errand::refuse);
  EXPECT_EQ(dispatch("refs/heads/main", R"({"command": "rollback"})").errand, Errand::refuse);
}

TEST(Decide, AWishThatWouldDoNothingIsRefusedByName) {
  const auto reason = [](const std::string& inputs) {
    const auto decision = decide(
        read("workflow_dispatch",
             fmt::format(R"({{"ref": "refs/heads/main", "inputs": {}, "repository": {{"default_branch": "main"}}}})",
                         inputs)),
        {});
    return decision.errand == Errand::refuse ? decision.reasons.back() : "not refused";
  };
  EXPECT_EQ(reason(R"({"command": "deploy", "target": "prod", "ref": "v1"})"),
            "the command 'deploy' does nothing with 'ref', 'target'");
  EXPECT_EQ(reason(R"({"command": "clean", "select": "a"})"), "the command 'clean' does nothing with 'select'");
  EXPECT_EQ(reason(R"({"command": "rollback", "to": "1a2b3c4", "full_refresh": true})"),
            "the command 'rollback' does nothing with 'full_refresh'");
  EXPECT_EQ(reason(R"({"command": "run", "to": "1a2b3c4"})"), "the command 'run' does nothing with 'to'");
  EXPECT_EQ(reason(R"({"command": "run", "full_refresh": "false", "to": ""})"), "not refused");
}

TEST(Decide, TheMergeQueueIsChecked) {
  const auto payload =
      fmt::format(R"({{"action": "checks_requested", "merge_group": {{"base_sha": "{}"}}}})", head_sha);
  const auto event = read("merge_group", payload);
  EXPECT_EQ(event.base_sha, head_sha);
  EXPECT_EQ(decide(event, {}).errand, Errand::check);
}

TEST(Decide, OrdersByCommentAskForWriteAccessFirst) {
  const auto check = decide(comment("/offshoot check"), {});
  EXPECT_EQ(check.errand, Errand::check);
  ASSERT_TRUE(check.first);
  EXPECT_EQ(check.first->writer, "ann");
  EXPECT_EQ(check.first->pull_request, 7);
  EXPECT_FALSE(check.wishes.full_refresh);
  EXPECT_TRUE(decide(comment("/offshoot check --full-refresh\\nplease"), {}).wishes.full_refresh);
  EXPECT_EQ(decide(comment("/offshoot clean"), {}).errand, Errand::clean_one);
  const auto approved = decide(comment("/ok-to-test " + head_sha), {});
  EXPECT_EQ(approved.errand, Errand::check);
  EXPECT_EQ(approved.first->head, head_sha);
  EXPECT_EQ(decide(comment("/ok-to-test abc123"), {}).errand, Errand::refuse);
}

TEST(Decide, OtherCommentsGiveNoOrders) {
  for (const auto& event : {comment("nice work"), comment("> /offshoot check"), comment("see /offshoot check"),
                            comment("/offshoot"), comment("/offshoot check --select=x"), comment("/offshootcheck"),
                            comment("/offshoot check", "edited"), comment("/offshoot check", "created", "Bot"),
                            comment("/offshoot check", "created", "User", false), comment("")}) {
    EXPECT_EQ(decide(event, {}).errand, Errand::nothing) << event.comment->body;
  }
}

TEST(Decide, AnUnknownEventIsRefused) {
  EXPECT_EQ(decide(read("release", "{}"), {}).errand, Errand::refuse);
  EXPECT_FALSE(read_event("pull_request", "{}"));
  EXPECT_FALSE(read_event("pull_request", "[1]"));
  EXPECT_FALSE(read_event("push", R"({"ref": 3})"));
  EXPECT_FALSE(read_event("push", "{"));
}

// --- answers of GitHub's

PullRequest known(const std::string& sha, std::optional<std::int64_t> head_repository) {
  return {.number = 7, .head_sha = sha, .head_repository_id = head_repository, .base_repository_id = 11};
}

TEST(Settle, A2_OnlyWritersGiveOrders) {
  const auto decision = decide(comment("/offshoot check"), {});
  EXPECT_EQ(settle(decision, {.writer = false, .pull_request = known(head_sha, 11)}).errand, Errand::nothing);
  EXPECT_EQ(settle(decision, {.writer = true, .pull_request = known(head_sha, 11)}).errand, Errand::check);
  EXPECT_EQ(settle(decide(comment("/offshoot clean"), {}), {.writer = false}).errand, Errand::nothing);
  EXPECT_EQ(settle(decide(comment("/offshoot clean"), {}), {.writer = true}).errand, Errand::clean_one);
}

TEST(Settle, A2_AForkIsApprovedByItsNewestShaAlone) {
  const auto plain = decide(comment("/offshoot check"), {});
  EXPECT_EQ(settle(plain, {.writer = true, .pull_request = known(head_sha, 12)}).errand, Errand::refuse);
  EXPECT_EQ(settle(plain, {.writer = true, .pull_request = known(head_sha, {})}).errand, Errand::refuse);
  EXPECT_EQ(settle(plain, {.writer = true}).errand, Errand::refuse);
  const auto approved = decide(comment("/ok-to-test " + head_sha), {});
  EXPECT_EQ(settle(approved, {.writer = true, .pull_request = known(head_sha, 12)}).errand, Errand::check);
  EXPECT_EQ(settle(approved, {.writer = true, .pull_request = known(other_sha, 12)}).errand, Errand::refuse);
  EXPECT_EQ(settle(approved, {.writer = false, .pull_request = known(head_sha, 12)}).errand, Errand::nothing);
  auto closed = known(head_sha, 12);
  closed.open = false;
  EXPECT_EQ(settle(approved, {.writer = true, .pull_request = closed}).errand, Errand::nothing);
}

// --- trust

TEST(Fork, A3_IsToldByIds) {
  EXPECT_FALSE(is_from_fork(*pull_request("opened", R"({"id": 11, "full_name": "evil/shop"})").pull_request));
  EXPECT_TRUE(is_from_fork(*pull_request("opened", R"({"id": 12, "full_name": "acme/shop"})").pull_request));
  EXPECT_TRUE(is_from_fork(*pull_request("opened", "null").pull_request));
  EXPECT_TRUE(is_from_fork(*pull_request("opened", "{}").pull_request));
  EXPECT_TRUE(is_from_fork(*pull_request("opened", R"({"id": "11"})").pull_request));
  EXPECT_TRUE(is_from_fork(PullRequest{}));
}

TEST(Trust, A2_AForkInAJobWithSecretsIsRefused) {
  using flow::HeadTrust;
  const auto plain = R"("draft": false, "labels": [])";
  Settings diff_only;
  diff_only.mode = "diff-only";
  const auto target = pull_request("opened", R"({"id": 12})", plain, "pull_request_target");
  ASSERT_FALSE(trust_in(target, {}, {}));
  EXPECT_EQ(trust_in(target, {}, {}).error().status, ExitStatus::refused);
  EXPECT_EQ(*trust_in(target, diff_only, {}), HeadTrust::data_only);
  EXPECT_EQ(*trust_in(pull_request("opened", R"({"id": 11})", plain, "pull_request_target"), {}, {}),
            HeadTrust::trusted);
  for (const auto* head : {R"({"id": 12})", "null"}) {
    const auto run = read("workflow_run", fmt::format(R"({{"repository": {{"id": 11}},
        "workflow_run": {{"head_repository": {}}}}})",
                                                      head));
    EXPECT_FALSE(trust_in(run, {}, {})) << head;
    EXPECT_EQ(*trust_in(run, diff_only, {}), HeadTrust::data_only);
  }
  EXPECT_FALSE(trust_in(read("workflow_run", "{}"), {}, {}));
  EXPECT_FALSE(trust_in(comment("/offshoot check"), {}, {}));
  EXPECT_EQ(*trust_in(comment("/offshoot check"), {}, known(head_sha, 12)), HeadTrust::trusted);
}

TEST(Trust, A4_AForkInAJobWithoutSecretsIsReadAndNotRun) {
  EXPECT_EQ(*trust_in(pull_request("opened", R"({"id": 12})"), {}, {}), flow::HeadTrust::sandboxed);
  EXPECT_EQ(*trust_in(pull_request("opened", "null"), {}, {}), flow::HeadTrust::sandboxed);
  EXPECT_EQ(*trust_in(pull_request("opened"), {}, {}), flow::HeadTrust::trusted);
}

TEST(Touches, PathsAreMatchedByComponent) {
  EXPECT_TRUE(touches({}, {}));
  EXPECT_TRUE(touches({"models/**"}, {"README.md", "models/a/b.sql"}));
  EXPECT_FALSE(touches({"models/**"}, {"README.md", "analyses/models.sql"}));
  EXPECT_TRUE(touches({"**/*.sql"}, {"x/y/z.sql"}));
  EXPECT_FALSE(touches({"*.sql"}, {"x/y/z.sql"}));
  EXPECT_FALSE(touches({"models/**"}, {}));
}

}  // namespace
}  // namespace offshoot::app
