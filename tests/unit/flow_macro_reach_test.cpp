// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "flow/macro_reach.hpp"
#include "state_builder.hpp"

namespace offshoot::flow {
namespace {

using state::test::Builder;

/// A few macros as a project and dbt have them.
class WhileCompiling : public testing::Test {
 protected:
  WhileCompiling() {
    of_dbt("statement", "{% macro statement(name) %}{% set res = adapter.execute(caller()) %}{% endmacro %}");
    of_dbt("run_query", "{% macro run_query(sql) %}{% call statement('run') %}{{ sql }}{% endcall %}{% endmacro %}");
    of_dbt("persist_docs", "{% macro persist_docs() %}{% do run_query('comment') %}{% endmacro %}");
    of_dbt("get_columns_in_relation",
           "{% macro get_columns_in_relation() %}{% call statement('x') %}{% endcall %}{% endmacro %}");
    of_dbt("replace", "{% macro replace() %}{% do run_query('x') %}{% endmacro %}");
    macro("note", "{% macro note() %}{% do run_query('insert') %}{% endmacro %}");
    macro("deep", "{% macro deep() %}{{ shop.note() }}{% endmacro %}");
    macro("sent", "{% macro sent() %}{{ adapter.dispatch('sent')() }}{% endmacro %}");
    macro("duckdb__sent", "{% macro duckdb__sent() %}{{ note() }}{% endmacro %}");
    macro("spread",
          "{% macro spread() %}{{ adapter.dispatch(macro_name='away', macro_namespace='shop')() }}{% endmacro %}");
    macro("default__away", "{% macro default__away() %}{{ note() }}{% endmacro %}");
    macro("cents", "{% macro cents(column) %}{{ column }} / 100 {# note() #}{% endmacro %}");
  }

  void macro(const std::string& name, const std::string& text) { project_.add_macro(name)["macro_sql"] = text; }
  void of_dbt(const std::string& name, const std::string& text) {
    project_.root["macros"]["macro.dbt." + name] = {
        {"unique_id", "macro.dbt." + name}, {"name", name}, {"macro_sql", text}};
  }
  bool may_run(const std::string& code) { return MacroReach(*project_.read()).may_run_statements(code); }

  Builder project_;
};

TEST_F(WhileCompiling, WhatMayRunAStatement) {
  for (const std::string code : {
           "{% if execute %}{% do note() %}{% endif %}",
           "{{ deep() }}",
           "{{ shop.deep() }}",
           "{{ sent() }}",
           "{{ duckdb__sent() }}",
           "{{ spread() }}",
           "{%- set rows = run_query('select 1') -%}",
           "{% call statement('it') %}insert{% endcall %}",
           "{% set again = note %}{% do again() %}",
           "{{ f(by=note) }}",
           "{{ f(note == by) }}",
           "{% do adapter.drop_relation(this) %}",
           "{% set a = adapter %}{% do a.execute('insert') %}",
           "{{ f(adapter, 1) }}",
           "{{ adapter.dispatch('note')() }}",
           "{{ adapter.dispatch(which)() }}",
           "{{ context['note']() }}",
           "{{ f({'a': {'b': 1}}, note()) }}",
           "{# don't #}{{ note() }}",
           "{%+ raw %}{{ don't {% endraw %}{{ note() }}",
           "{{ 'it\\'s' ~ note() }}",
       }) {
    EXPECT_TRUE(may_run(code)) << code;
  }
}

TEST_F(WhileCompiling, WhatRunsNone) {
  for (const std::string code : {
           "select note, statement('x') from adapter",
           "{{ config(persist_docs={'relation': true}) }}",
           "{{ config({'persist_docs': {'relation': true}}) }}",
           "{{ 'a' | replace('a', 'b') }}",
           "{{ cents('amount') }}",
           "{{ adapter.dispatch('cents')('amount') }}",
           "{{ adapter.dispatch(macro_name='cents')('amount') }}",
           "{{ adapter.quote('note') if adapter.type() == 'duckdb' else ref('orders') }}",
           "{% set columns = adapter.get_columns_in_relation(ref('orders')) %}",
           "{# {{ note() }} #} select 1",
           "{{ 'note()' }}",
       }) {
    EXPECT_FALSE(may_run(code)) << code;
  }
}

}  // namespace
}  // namespace offshoot::flow
