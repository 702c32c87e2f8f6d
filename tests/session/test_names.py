"""resolve: the branch's names without a parse equal those of a real parse under the branch's profile."""

import shutil
import sys

import pytest

from client import ROOT

sys.path.insert(0, str(ROOT / "src/dbt/session"))

TARGET_DEPENDENT = {
    "models/by_target.sql": "{{ config(schema=target.schema ~ '_own') }} select 1 as id",
    "models/by_dict.sql": "{{ config({'alias': 'a_' ~ target.schema, 'materialized': 'view'}) }} select 1 as id",
    "models/by_macro.sql": "{{ config(schema=own_schema()) }} select 1 as id",
    "models/by_yaml.sql": "select 1 as id",
    "models/by_yaml.yml": "models:\n  - name: by_yaml\n    config: {schema: \"{{ target.schema }}_yaml\"}\n",
    "models/deep/by_project.sql": "select 1 as id",
    "macros/own.sql": "{% macro own_schema() %}{{ return('m_' ~ target.schema) }}{% endmacro %}",
    "snapshots/by_target.sql": "{% snapshot by_target_snap %}{{ config(target_schema=target.schema, unique_key='id', "
    "strategy='check', check_cols=['id']) }} select 1 as id {% endsnapshot %}",
}
SEMANTIC = {
    "models/spine.sql": "{{ config(schema='time') }} select cast('2020-01-01' as date) as date_day",
    "models/metrics.yml": """
models:
  - name: spine
    time_spine: {standard_granularity_column: date_day}
    columns: [{name: date_day, granularity: day}]
semantic_models:
  - name: people
    model: ref('base_people')
    defaults: {agg_time_dimension: seen}
    entities: [{name: id, type: primary}]
    dimensions: [{name: seen, type: time, type_params: {time_granularity: day}, expr: country}]
    measures: [{name: heads, agg: count, expr: id}]
metrics:
  - name: heads
    label: Heads
    type: simple
    type_params: {measure: heads}
saved_queries:
  - name: all_heads
    query_params: {metrics: [heads], group_by: ["TimeDimension('id__seen', 'day')"]}
    exports:
      - {name: plain, config: {export_as: table}}
      - {name: placed, config: {export_as: view, schema: elsewhere, alias: heads_there}}
""",
}


@pytest.fixture(scope="module")
def driver(workspace):
    """The session's class in this process, so that manifests can be compared in memory."""
    import session as module

    made = module.Session()
    yield made
    made.release()


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def parsed(driver, warehouse, project, profiles, handle, **more):
    target_path = str(warehouse.folder / f"target_{handle}")
    shutil.rmtree(target_path, ignore_errors=True)
    request = warehouse.request(project, profiles, target_path=target_path, handle=handle, command="parse", **more)
    driver.parse(request, lambda event: None)
    return driver._manifests[handle]


def contents(manifest):
    """Everything in a manifest that a name could be in, without timestamps."""
    found = {}
    for section in ("nodes", "sources", "semantic_models", "saved_queries", "functions", "exposures", "unit_tests", "metrics"):
        for key, item in getattr(manifest, section, {}).items():
            found[key] = without_timestamps(item)
    for key, items in manifest.disabled.items():
        found["disabled " + key] = [without_timestamps(item) for item in items]
    return found


def without_timestamps(item):
    content = item.to_dict(omit_none=False)
    content.pop("created_at", None)
    return content


def assert_resolved_equals_parsed(driver, warehouse, project, target="ci", ignore=(), **credentials):
    neutral = warehouse.profile("neutral", "dev", target=target)
    branch = warehouse.profile("branch", "pr_7", target=target, **credentials)
    more = {"target": target}
    before = parsed(driver, warehouse, project, neutral, "neutral", **more)
    untouched = contents(before)
    answer = driver.resolve(
        warehouse.request(project, branch, handle="neutral", command="resolve", **{"as": "resolved", **more}), print
    )
    assert contents(before) == untouched
    resolved = contents(driver._manifests["resolved"])
    real = contents(parsed(driver, warehouse, project, branch, "real", **more))
    assert resolved.keys() == real.keys()
    sections = ("", "source.") if credentials else ("",)  # sources stay where the neutral profile has them
    for key in real:
        if key.startswith(sections[1:]):
            continue
        for item in (resolved[key], real[key]):
            for name in ignore if isinstance(item, dict) else ():
                item.pop(name, None)
        assert resolved[key] == real[key], key
    assert real != untouched
    return answer["relations"]


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request):
    return request.getfixturevalue(f"{request.param}_warehouse")


def test_resolved_equals_parsed(driver, warehouse, project):
    relations = assert_resolved_equals_parsed(driver, warehouse, project)
    named = {key: (item["schema"], item["alias"]) for key, item in relations.items()}
    assert named["model.fixture.mart_people"] == ("pr_7_marts", "people_mart")
    assert named["model.fixture.dim.v2"] == ("pr_7_dims", "dimension_two")
    assert named["snapshot.fixture.snap_people"] == ("history", "snap_people")
    assert named["model.fixture.inc_people"] == ("pr_7_Loud Marts", "inc_people")
    assert relations["model.fixture.eph_people"]["relation_name"] is None
    assert "model.fixture.off" not in relations


def test_resolved_equals_parsed_for_another_target_and_quoting(driver, warehouse, project, tmp_path):
    copied = shutil.copytree(project, tmp_path / "project")
    with open(copied / "dbt_project.yml", "a") as file:
        file.write("quoting: {identifier: false, schema: false}\ntests: {+store_failures: true, +schema: audit}\n")
    write(copied, SEMANTIC)
    relations = assert_resolved_equals_parsed(driver, warehouse, copied, target="prod")
    assert relations["model.fixture.mart_people"]["schema"] == "marts"
    assert relations["test.fixture.no_nobody"]["relation_name"].endswith(".audit.no_nobody")


def test_resolved_equals_parsed_on_the_example(driver, warehouse, tmp_path):
    left_out = shutil.ignore_patterns("target", "logs", "dbt_packages", "*.duckdb")
    shop = shutil.copytree(ROOT / "examples/shop", tmp_path / "shop", ignore=left_out)
    settings = shop / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("profile: shop", "profile: fixture"))
    driver.deps(warehouse.request(shop, warehouse.profile("neutral", "dev"), command="deps"), lambda event: None)
    relations = assert_resolved_equals_parsed(driver, warehouse, shop)
    assert relations["model.shop.fct_sales"]["schema"] == "pr_7_serving"
    assert len(relations) > 25


def test_resolved_equals_parsed_in_another_database(driver, duckdb_warehouse, project, tmp_path):
    write(shutil.copytree(project, tmp_path / "project"), SEMANTIC)
    path = str(duckdb_warehouse.folder / "shop_pr_7.duckdb")
    relations = assert_resolved_equals_parsed(driver, duckdb_warehouse, tmp_path / "project", path=path)
    assert relations["seed.fixture.people"]["relation_name"] == '"shop_pr_7"."pr_7_raw"."people"'


def test_settings_that_read_the_target_are_rendered_again(driver, warehouse, project, tmp_path):
    copied = shutil.copytree(project, tmp_path / "project")
    write(copied, TARGET_DEPENDENT)
    settings = (copied / "dbt_project.yml").read_text()
    deep = "    deep: {+schema: \"{{ target.schema }}_deep\"}\n"
    (copied / "dbt_project.yml").write_text(settings.replace("    +materialized: table\n", "    +materialized: table\n" + deep))
    ignore = ("unrendered_config", "config_call_dict", "unrendered_config_call_dict")
    relations = assert_resolved_equals_parsed(driver, warehouse, copied, ignore=ignore)
    schemas = {key.split(".")[-1]: item["schema"] for key, item in relations.items()}
    assert schemas["by_target"] == "pr_7_pr_7_own"
    assert schemas["by_macro"] == "pr_7_m_pr_7"
    assert schemas["by_yaml"] == "pr_7_pr_7_yaml"
    assert schemas["by_project"] == "pr_7_pr_7_deep"
    assert schemas["by_target_snap"] == "pr_7"
    assert relations["model.fixture.by_dict"]["alias"] == "a_pr_7"


def test_sources_move_to_another_database_when_asked(driver, duckdb_warehouse, project):
    parsed(driver, duckdb_warehouse, project, duckdb_warehouse.profile("neutral", "dev"), "neutral")
    request = duckdb_warehouse.request(project, duckdb_warehouse.profile("branch", "pr_7"), handle="neutral")
    driver.resolve({**request, "command": "resolve", "as": "moved", "sources_database": "prod"}, print)
    moved = driver._manifests["moved"].sources["source.fixture.shop.orders"]
    assert (moved.database, moved.relation_name) == ("prod", '"prod"."shop"."orders"')
    kept = driver._manifests["neutral"].sources["source.fixture.shop.orders"]
    assert (kept.database, kept.relation_name) == ("db", '"db"."shop"."orders"')


def test_names_after_a_partial_parse(driver, duckdb_warehouse, project, tmp_path):
    """config() calls of files that were not read again are still known."""
    copied = shutil.copytree(project, tmp_path / "project")
    write(copied, TARGET_DEPENDENT)
    neutral = duckdb_warehouse.profile("neutral", "dev")
    parsed(driver, duckdb_warehouse, copied, neutral, "cold")
    msgpack = str(duckdb_warehouse.folder / "target_cold/partial_parse.msgpack")
    parsed(driver, duckdb_warehouse, copied, neutral, "warm", partial_parse_file=msgpack)
    names = []
    for handle in ("cold", "warm"):
        request = duckdb_warehouse.request(copied, duckdb_warehouse.profile("branch", "pr_7"), handle=handle)
        names.append(driver.resolve({**request, "command": "resolve", "as": "x"}, print)["relations"])
    assert names[0] == names[1]
