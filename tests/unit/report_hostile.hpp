// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace offshoot::report::tests {

namespace fs = std::filesystem;
using nlohmann::json;

inline const fs::path golden_folder = fs::path(OFFSHOOT_SOURCE_DIR) / "tests/golden/report";

inline std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

/// Text that has broken renderers before.
class Hostile {
 public:
  explicit Hostile(unsigned seed) : random_(seed) {}

  std::string operator()() {
    static const std::vector<std::string> atoms{"`",
                                                "```",
                                                "````",
                                                "~~~",
                                                "|",
                                                "\\",
                                                "\n",
                                                "\r",
                                                "\t",
                                                " ",
                                                "<b>",
                                                "</details>",
                                                "<details>",
                                                "<!--",
                                                "-->",
                                                "<!-- offshoot:v1 run=x head=y -->",
                                                "@octocat",
                                                "#1",
                                                "GH-1",
                                                "acme/shop#3",
                                                "1a2b3c4d5e",
                                                "https://evil.test",
                                                "www.evil.test",
                                                "a@evil.test",
                                                "[x](y)",
                                                "![x](y)",
                                                "[x]: y",
                                                "[^1]",
                                                "*",
                                                "_",
                                                "~~",
                                                "$x$",
                                                ":tada:",
                                                "# h",
                                                "- ",
                                                "> ",
                                                "---",
                                                "&amp;",
                                                "{",
                                                "}",
                                                "/merge",
                                                "atlantis plan",
                                                "::error::x",
                                                "##[error]",
                                                "\u202E",
                                                "\u200B",
                                                "\x1B[31m",
                                                std::string(1, '\0'),
                                                "\xff",
                                                "\xC3",
                                                "é",
                                                "日本",
                                                "😀",
                                                "fct_orders",
                                                "0",
                                                "."};
    std::uniform_int_distribution<std::size_t> atom(0, atoms.size() - 1);
    std::string out;
    for (std::size_t left = std::uniform_int_distribution<std::size_t>(1, 12)(random_); left > 0; --left) {
      out += atoms[atom(random_)];
    }
    return out;
  }

  /// Replaces strings of a run.json in which any text may stand.
  void into(json& value, const std::string& key = "") {
    static const std::vector<std::string> kept{"state", "status", "kind", "isolation", "resource_type"};
    if (value.is_structured()) {
      for (auto item = value.begin(); item != value.end(); ++item) into(*item, value.is_object() ? item.key() : key);
    } else if (value.is_string() && std::find(kept.begin(), kept.end(), key) == kept.end()) {
      if (std::uniform_int_distribution<int>(0, 3)(random_) > 0) value = clean_enough((*this)());
    }
  }

 private:
  /// JSON holds only UTF-8; the other bytes get in by Hostile::operator() where a test uses it alone.
  static std::string clean_enough(const std::string& raw) {
    return json::parse(json(raw).dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
  }

  std::mt19937 random_;
};

/// The comment without the digest in its hidden line, which every change of its text changes too.
inline std::string without_digest(const std::string& comment) {
  static const std::regex digest("digest=[0-9a-f]{16} -->\n$");
  return std::regex_replace(comment, digest, "digest=<digest> -->\n");
}

/// The runs of the golden comments.
inline std::vector<json> golden_runs() {
  std::vector<json> runs;
  for (const auto& entry : fs::directory_iterator(golden_folder)) {
    if (fs::exists(entry.path() / "run.json")) runs.push_back(json::parse(read(entry.path() / "run.json")));
  }
  return runs;
}

}  // namespace offshoot::report::tests
