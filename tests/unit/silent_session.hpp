// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "dbt/session.hpp"

namespace offshoot::dbt::tests {

/// A session that can do nothing: tests override what they are about.
class SilentSession : public Session {
 public:
  Result<Ready> ready() override { return no(); }
  Result<Parsed> parse(const ParseRequest&) override { return no(); }
  Result<Resolved> resolve(const ResolveRequest&) override { return no(); }
  Result<BuildOutput> build(const BuildRequest&, const BuildListener&) override { return no(); }
  Result<std::vector<std::string>> select(const SelectionRequest&) override { return no(); }
  Result<nlohmann::json> macro(const WarehouseAt&, const std::string&, const nlohmann::json&) override { return no(); }
  Result<std::vector<ExistingRelation>> list_relations(const WarehouseAt&, const std::vector<SchemaName>&) override {
    return no();
  }
  Result<Answer> debug(const WarehouseAt&) override { return no(); }
  Result<void> deps(const ProjectAt&) override { return no(); }
  [[nodiscard]] bool places_packages() const override { return false; }
  Result<void> forget(const std::string&) override { return no(); }
  Result<void> release() override { return no(); }
  [[nodiscard]] std::filesystem::path log() const override { return {}; }
  void interrupt() override {}

 private:
  static tl::unexpected<Failed> no() { return failed(ExitStatus::could_not_run, "testing", "not here"); }
};

}  // namespace offshoot::dbt::tests
