// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "state/manifest.hpp"
#include "state_builder.hpp"
#include "unit/long_form.hpp"

namespace offshoot::state::test {
namespace {

Builder small() {
  Builder builder;
  builder.add("source.shop.raw.orders");
  builder.add_macro("cents");
  json& orders = builder.add("model.shop.orders", {"source.shop.raw.orders"}, {"macro.shop.cents"});
  orders["config"]["materialized"] = "table";
  orders["config"]["post-hook"] = json::array({{{"sql", "select 1"}}});
  orders["patch_path"] = "shop://models/schema.yml";
  orders["tags"] = {"nightly"};
  orders["database"] = "db";
  orders["schema"] = "main";
  orders["alias"] = "orders_v1";
  orders["relation_name"] = "\"db\".\"main\".\"orders_v1\"";
  orders["language"] = "sql";
  builder.add("model.shop.größe");
  builder.add("model.shop.off");
  builder.disable("model.shop.off");
  return builder;
}

std::string why_not(const std::string& bytes) {
  const Result<Manifest> manifest = Manifest::parse(bytes, "m.json");
  return manifest ? "" : manifest.error().why;
}

TEST(ManifestReading, TellsWhatStandsInIt) {
  const Result<Manifest> manifest = small().read();
  ASSERT_TRUE(manifest) << manifest.error().why;
  EXPECT_EQ(manifest->dbt_version(), "1.11.16");
  EXPECT_EQ(manifest->adapter_type(), "duckdb");
  EXPECT_EQ(manifest->project_name(), "shop");
  EXPECT_EQ(manifest->schema_version(), 12);
  EXPECT_EQ(manifest->nodes().size(), 3U);
  const NodeInfo orders = manifest->info(*manifest->find_node("model.shop.orders"));
  EXPECT_EQ(orders.resource_type, "model");
  EXPECT_EQ(orders.name, "orders");
  EXPECT_EQ(orders.package_name, "shop");
  EXPECT_EQ(orders.fqn, (Ids{"shop", "orders"}));
  EXPECT_EQ(orders.original_file_path, "models/orders.sql");
  EXPECT_EQ(orders.materialized, "table");
  EXPECT_TRUE(orders.enabled);
  EXPECT_TRUE(orders.has_code);
  EXPECT_FALSE(orders.pre_hook);
  EXPECT_TRUE(orders.post_hook);
  EXPECT_EQ(orders.tags, Ids{"nightly"});
  EXPECT_EQ(orders.depends_on_nodes, Ids{"source.shop.raw.orders"});
  EXPECT_EQ(orders.depends_on_macros, Ids{"macro.shop.cents"});
  EXPECT_EQ(orders.identifier, "orders_v1");
  EXPECT_EQ(orders.relation_name, "\"db\".\"main\".\"orders_v1\"");
  EXPECT_EQ(orders.version, "");
  EXPECT_NE(manifest->find_disabled("model.shop.off"), nullptr);
  EXPECT_EQ(manifest->find_node("model.shop.off"), nullptr);
  EXPECT_NE(manifest->find_macro("macro.shop.cents"), nullptr);
}

TEST(ManifestReading, IdsWrittenWithEscapesAreFound) {
  const Result<Manifest> manifest = Manifest::parse(small().root.dump(-1, ' ', true), "m.json");
  ASSERT_TRUE(manifest);
  const Entry* node = manifest->find_node("model.shop.größe");
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(manifest->info(*node).name, "größe");
}

TEST(ManifestReading, IsMovable) {
  Result<Manifest> read = small().read();
  ASSERT_TRUE(read);
  const Manifest manifest = std::move(*read);
  EXPECT_EQ(manifest.text(*manifest.find_node("model.shop.orders"), Field::name), "orders");
}

TEST(ManifestReading, FilesAreKnownByWhatTheyContribute) {
  const Result<Manifest> manifest = small().read();
  ASSERT_TRUE(manifest);
  const FileIndex files(*manifest);
  ASSERT_NE(files.find("shop", "models/orders.sql"), nullptr);
  EXPECT_EQ(files.find("shop", "models/orders.sql")->nodes, Ids{"model.shop.orders"});
  EXPECT_EQ(files.find("shop", "models/schema.yml")->described, Ids{"model.shop.orders"});
  EXPECT_EQ(files.find("shop", "models/off.sql")->disabled, Ids{"model.shop.off"});
  EXPECT_EQ(files.find("shop", "macros/cents.sql")->macros, Ids{"macro.shop.cents"});
  EXPECT_EQ(files.find("shop", "models/none.sql"), nullptr);
  EXPECT_EQ(files.find("other", "models/orders.sql"), nullptr);
}

TEST(ManifestReading, OnlyKnownVersionsAreTaken) {
  Builder builder = small();
  for (const char* version : {"v11", "v12", "v20"}) {
    builder.root["metadata"]["dbt_schema_version"] =
        std::string("https://schemas.getdbt.com/dbt/manifest/") + version + ".json";
    EXPECT_TRUE(builder.read()) << version;
  }
  for (const char* version : {"v10", "v13", "v1", "x", ""}) {
    builder.root["metadata"]["dbt_schema_version"] =
        std::string("https://schemas.getdbt.com/dbt/manifest/") + version + ".json";
    const Result<Manifest> manifest = builder.read();
    ASSERT_FALSE(manifest) << version;
    EXPECT_EQ(manifest.error().status, ExitStatus::usage);
    EXPECT_NE(manifest.error().doing.find("test"), std::string::npos);
  }
  EXPECT_FALSE(why_not("{}").empty());
  EXPECT_FALSE(why_not(R"({"metadata": {}})").empty());
  EXPECT_FALSE(why_not(R"({"metadata": 5})").empty());
}

TEST(ManifestReading, G1_NaNIsTolerated) {
  std::string text = small().root.dump();
  const std::string before = "\"enabled\":true";
  text.replace(text.find(before), before.size(), "\"meta\":{\"x\":NaN},\"y\":-Infinity");
  EXPECT_EQ(why_not(text), "");
}

TEST(ManifestReading, G1_DuplicateIdsAreAnError) {
  EXPECT_NE(why_not(R"({"metadata": {"dbt_schema_version": "/dbt/manifest/v12.json"}, "macros": {},
                        "nodes": {"a": {"resource_type": "model"}, "a": {"resource_type": "model"}}})")
                .find("twice"),
            std::string::npos);
}

TEST(ManifestReading, G1_DeepNestingIsRefused) {
  EXPECT_NE(why_not(R"({"metadata": {}, "x": )" + std::string(300, '[') + std::string(300, ']') + "}").find("256"),
            std::string::npos);
}

TEST(ManifestReading, G1_TruncationAtEveryByteIsAnError) {
  const std::string text = small().root.dump();
  for (std::size_t length = 0; length < text.size(); ++length) {
    ASSERT_FALSE(why_not(text.substr(0, length)).empty()) << length;
  }
}

TEST(ManifestReading, G1_WrongTypesAreErrorsOrEmpty) {
  for (const char* nodes : {"[]", "5", R"("x")", R"({"a": 5})", R"({"a": []})", R"({"a": {}})", R"({"": {}})",
                            R"({"a": {"resource_type": "model", "name": }})", R"({"a": {"resource_type" "model"}})"}) {
    EXPECT_FALSE(
        why_not(
            std::string(R"({"metadata": {"dbt_schema_version": "/dbt/manifest/v12.json"}, "macros": {}, "nodes": )") +
            nodes + "}")
            .empty())
        << nodes;
  }
  EXPECT_EQ(
      why_not(
          R"({"metadata": {"dbt_schema_version": "/dbt/manifest/v12.json"}, "macros": {}, "nodes": {}, "metrics": null})"),
      "");
}

TEST(ManifestReading, G1_NoBytesCrashIt) {
  const Builder original = small();
  const std::string text = original.root.dump();
  const Result<Manifest> base = original.read();
  ASSERT_TRUE(base);
  std::mt19937 random(7);
  const std::string_view spice = "{}[]\",:\\u0nNtf1-.e \xFF\xC3";
  int taken = 0;
  for (unsigned i = 0; i < offshoot::tests::cases(3000, 10); ++i) {
    std::string mutated = text;
    const std::size_t changes = 1 + random() % 4;
    for (std::size_t change = 0; change < changes; ++change) {
      const std::size_t at = random() % mutated.size();
      const char c = spice[random() % spice.size()];
      switch (random() % 3) {
        case 0:
          mutated[at] = c;
          break;
        case 1:
          mutated.insert(at, 1, c);
          break;
        default:
          mutated.erase(at, 1 + random() % 20);
          break;
      }
    }
    const Result<Manifest> head = Manifest::parse(mutated, "m.json");
    if (const std::optional<std::string> wrong = outline_error(mutated)) {
      ASSERT_FALSE(head) << mutated;
      EXPECT_EQ(head.error().why, *wrong);
    }
    if (!head) continue;
    ++taken;
    for (const char* selector : {"state:modified+", "path:models tag:* config.meta.x:1 fqn:* version:old"}) {
      const Result<Selection> selection = select(*base, *head, SelectRequest{.select = selector, .exclude = ""});
      if (selection) build_list(*selection, *head);
    }
    FileIndex{*head};
  }
  EXPECT_GT(taken, 100);
}

TEST(ManifestReading, M2_AMissingPartIsAnError) {
  for (const char* part : {"metadata", "nodes", "macros"}) {
    Builder builder = small();
    builder.root.erase(part);
    EXPECT_FALSE(builder.read()) << part;
  }
}

TEST(ManifestReading, AnAbsentFileIsNamed) {
  const Result<Manifest> manifest = Manifest::read("/nowhere/manifest.json");
  ASSERT_FALSE(manifest);
  EXPECT_NE(manifest.error().doing.find("/nowhere/manifest.json"), std::string::npos);
  EXPECT_NE(manifest.error().hint.find("dbt parse"), std::string::npos);
}

TEST(ManifestReading, BothAreReadAndTheBaseIsNamedFirst) {
  const auto folder = io::TemporaryFolder::make("test");
  ASSERT_TRUE(folder);
  const std::filesystem::path file = folder->path() / "manifest.json";
  ASSERT_TRUE(io::write_file(file, small().root.dump()));
  const Result<BaseAndHead> both = read_both(file, file);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->base.nodes().size(), both->head.nodes().size());
  const std::filesystem::path base = folder->path() / "base.json";
  const std::filesystem::path head = folder->path() / "head.json";
  EXPECT_NE(read_both(base, head).error().doing.find("base.json"), std::string::npos);
  EXPECT_NE(read_both(file, head).error().doing.find("head.json"), std::string::npos);
}

}  // namespace
}  // namespace offshoot::state::test
