// SPDX-License-Identifier: Apache-2.0
// Comments as GitHub's own markdown parser reads them: cmark-gfm says what is a link, an image or raw HTML.
#include <gtest/gtest.h>

#include <regex>

#include "io/files.hpp"
#include "io/process.hpp"
#include "long_form.hpp"
#include "report/markdown.hpp"
#include "report/run_json.hpp"
#include "report_hostile.hpp"

namespace offshoot::report {
namespace {

using namespace report::tests;

/// The comment's nodes, one a line, as `cmark-gfm --to xml` prints them.
std::string parsed(const std::string& comment) {
  auto folder = io::TemporaryFolder::make("cmark");
  EXPECT_TRUE(folder);
  EXPECT_TRUE(io::write_file(folder->path() / "comment.md", comment));
  const auto output = io::run({.argv = {"cmark-gfm", "--extension", "table", "--extension", "autolink", "--extension",
                                        "strikethrough", "--extension", "tasklist", "--extension", "footnotes",
                                        "--unsafe", "--to", "xml", (folder->path() / "comment.md").string()},
                               .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}}});
  EXPECT_TRUE(output && output->exit.ok()) << "cmark-gfm is missing: run ci/setup";
  return output ? output->out : "";
}

std::string plain(std::string xml) {
  const std::vector<std::pair<std::string, std::string>> entities{
      {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}};
  for (const auto& [entity, is] : entities) {
    for (std::size_t at = 0; (at = xml.find(entity, at)) != std::string::npos; at += is.size()) {
      xml.replace(at, entity.size(), is);
    }
  }
  return xml;
}

/// What GitHub makes live in text that is no code: mentions, references, commits, autolinks.
const std::regex& live_text() {
  static const std::regex live(
      R"((^|[^\w`/])@[A-Za-z0-9]|(^|[^\w&])#\d|\b(gh|GH|Gh|gH)-\d|\b[0-9a-f]{40}\b|https?://|\bwww\.)");
  return live;
}

/// Each thing of the comment that a project's text may not be; empty where there is none.
std::string alive(const std::string& comment, const std::string& home) {
  static const std::regex node("<([a-z_]+)([^>]*)>(?:([^<]*)</)?");
  static const std::regex destination("destination=\"([^\"]*)\"");
  // Our own tags. A summary's text is escaped; a tag that is not of these may not come out of it.
  static const std::regex own_tags("</?(details|summary|b|sub|code|span)>|<!-- offshoot:v1 [a-zA-Z0-9=. -]* -->");
  const std::string xml = parsed(comment);
  std::string found;
  for (auto at = std::sregex_iterator(xml.begin(), xml.end(), node); at != std::sregex_iterator(); ++at) {
    const std::string type = (*at)[1];
    const std::string attributes = (*at)[2];
    const std::string text = plain((*at)[3]);
    if (type == "image") found += "an image; ";
    if (type == "link") {
      std::smatch to;
      const bool has = std::regex_search(attributes, to, destination);
      const std::string url = has ? plain(to[1]) : "";
      if (!url.starts_with(home)) found += "a link to " + url + "; ";
    }
    if (type.starts_with("footnote")) found += "a footnote; ";
    if (type == "text" && std::regex_search(text, live_text())) found += "live text: " + text + "; ";
    if (type != "html_block" && type != "html_inline") continue;
    const std::string rest = std::regex_replace(text, own_tags, "");
    if (rest.find('<') != std::string::npos) found += "HTML: " + rest + "; ";
    if (type == "html_block" && std::regex_search(rest, live_text())) found += "live HTML text: " + rest + "; ";
  }
  return found;
}

constexpr const char* home = "https://github.com/acme/shop";

TEST(CmarkOracle, SeesWhatIsAlive) {
  EXPECT_NE(alive("[x](https://evil.test)\n", home), "");
  EXPECT_NE(alive("see https://evil.test\n", home), "");
  EXPECT_NE(alive("![x](y)\n", home), "");
  EXPECT_NE(alive("hello @octocat\n", home), "");
  EXPECT_NE(alive("fixes #12\n", home), "");
  EXPECT_NE(alive("a <img src=x> b\n", home), "");
  EXPECT_NE(alive("<details>\n<summary><i>x</i></summary>\n\n</details>\n", home), "");
  EXPECT_EQ(alive("<details>\n<summary>x</summary>\n\n`@octocat #12`\n\n</details>\n", home), "");
  EXPECT_EQ(alive("[x](https://github.com/acme/shop/blob/a/b)\n", home), "");
}

TEST(CmarkOracle, I9_TheGoldenCommentsAreQuiet) {
  for (const json& run : golden_runs()) {
    EXPECT_EQ(alive(comment_markdown(*from_json(run.dump(), "run.json")), home), "");
  }
}

/// A run in which every text that a pull request can bring is hostile: some 200 of them.
offshoot::Run full_of(Hostile& hostile) {
  offshoot::Run run = *from_json(read(golden_folder / "failing-test/run.json"), "run.json");
  Plan& plan = *run.plan.finished();
  Build& build = *run.build.finished();
  const std::vector<PlannedNode> nodes = plan.nodes;
  plan.nodes.clear();
  build.results.clear();
  for (int i = 0; i < 20; ++i) {
    const std::string id = (i % 3 == 0 ? "test.shop." : "model.shop.") + hostile();
    plan.nodes.push_back({.unique_id = id,
                          .resource_type = i % 3 == 0 ? "test" : "model",
                          .name = hostile(),
                          .file = hostile(),
                          .materialized = hostile(),
                          .reasons = {{.kind = ReasonKind::configs, .detail = hostile()},
                                      {.kind = ReasonKind::upstream, .path = {"model.shop." + hostile()}}},
                          .depends_on = {"model.shop." + hostile()}});
    build.results.push_back({.unique_id = id,
                             .status = i % 2 == 0 ? NodeStatus::error : NodeStatus::warn,
                             .message = hostile(),
                             .query = hostile()});
    plan.removed.push_back({"model.shop." + hostile(), hostile(), hostile(), hostile()});
    plan.idle_files.push_back({hostile(), hostile()});
    plan.deferred.push_back({"model.shop." + hostile(), {.rendered = hostile()}});
    plan.unproven.push_back({"model.shop." + hostile(), hostile()});
    build.messages.push_back({"warn", hostile(), hostile()});
    run.notes.push_back(hostile());
  }
  Lint lint;
  for (int i = 0; i < 20; ++i) {
    lint.findings.push_back({.path = hostile(),
                             .line = 1,
                             .rule = hostile(),
                             .name = hostile(),
                             .message = hostile(),
                             .on_changed_line = true});
    lint.unlinted.push_back({hostile(), hostile()});
  }
  lint.files = {hostile()};
  run.lint = std::move(lint);
  run.quality = Failed{.doing = hostile(), .why = hostile(), .hint = hostile()};
  return run;
}

// Some 400 texts a comment: 100,000 in the long form.
TEST(CmarkOracle, I9_NoHostileTextComesAlive) {
  Hostile hostile(9);
  for (unsigned round = 0; round < offshoot::tests::cases(10); ++round) {
    const offshoot::Run run = full_of(hostile);
    const std::string comment = comment_markdown(run);
    ASSERT_EQ(alive(comment, home), "") << comment;
  }
}

/// Whether fences and folds are balanced, as the parser sees them.
std::string unbalanced(const std::string& comment) {
  const std::string xml = parsed(comment);
  int depth = 0;
  static const std::regex fold("&lt;(/?)details&gt;");
  static const std::regex html("<html_block[^>]*>([^<]*)<");
  for (auto at = std::sregex_iterator(xml.begin(), xml.end(), html); at != std::sregex_iterator(); ++at) {
    const std::string text = (*at)[1];
    for (auto tag = std::sregex_iterator(text.begin(), text.end(), fold); tag != std::sregex_iterator(); ++tag) {
      depth += (*tag)[1].length() == 0 ? 1 : -1;
      if (depth < 0) return "a fold ends that never began";
    }
  }
  if (depth != 0) return "a fold is open";
  const std::size_t last = xml.rfind("<html_block");
  const bool ends_well = last != std::string::npos && xml.find("&lt;!-- offshoot:v1", last) != std::string::npos;
  return ends_well ? "" : "the hidden line is inside something";
}

// Reports of 0 to 2 MB.
TEST(CmarkOracle, I7_AReportOfAnySizeIsAWholeComment) {
  std::mt19937_64 random(7);
  const offshoot::Run golden = *from_json(read(golden_folder / "failing-test/run.json"), "run.json");
  for (unsigned round = 0; round < offshoot::tests::cases(12, 20); ++round) {
    offshoot::Run run = golden;
    Hostile hostile(round);
    std::size_t bytes = std::uniform_int_distribution<std::size_t>(0, 2'000'000)(random);
    Plan& plan = *run.plan.finished();
    Build& build = *run.build.finished();
    for (int i = 0; bytes > 0; ++i) {
      const std::size_t size = std::min(bytes, std::uniform_int_distribution<std::size_t>(1, 20'000)(random));
      bytes -= size;
      std::string message;
      while (message.size() < size) message += hostile() + (message.size() % 3 == 0 ? "\n" : "```");
      const std::string id = "model.shop.m" + std::to_string(i) + hostile();
      plan.nodes.push_back({.unique_id = id, .resource_type = "model", .reasons = {{.kind = ReasonKind::body}}});
      build.results.push_back({.unique_id = id,
                               .status = i % 2 == 0 ? NodeStatus::fail : NodeStatus::success,
                               .message = message,
                               .query = message});
      if (i % 7 == 0) run.notes.push_back(message);
    }
    for (const std::size_t limit : {std::size_t{65'535}, std::size_t{4'000}}) {
      const std::string comment = comment_markdown(run, {.limit = limit});
      ASSERT_LE(comment.size(), limit);
      ASSERT_NO_THROW((void)json(comment).dump()) << "it is not UTF-8";
      ASSERT_EQ(unbalanced(comment), "") << comment;
    }
  }
}

}  // namespace
}  // namespace offshoot::report
