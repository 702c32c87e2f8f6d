# SPDX-License-Identifier: Apache-2.0
"""Writes dbt projects of any size, the same bytes each time.

A project consists of domains of fifty models: ten read sources, twenty read those, twenty read these and now and then
the domain before. Each model has two tests, a description and columns, so that 10,000 of them make a manifest of about
70 MB. `write` makes the base, `change` turns it into the head: what a usual pull request touches.
"""

from pathlib import Path

DOMAIN = 50
STAGING, INTERMEDIATE = 10, 30  # below these numbers within a domain
COLUMNS = ("id", "customer_id", "amount", "tax_amount", "currency", "status", "created_at", "updated_at")
DESCRIBED = ("id", "amount", "currency", "status")

PROJECT = """\
name: synthetic
version: "1.0"
profile: synthetic
model-paths: [models]
macro-paths: [macros]
flags:
  send_anonymous_usage_stats: false
models:
  synthetic:
    +materialized: view
    marts:
      +materialized: table
"""

PROFILES = """\
synthetic:
  target: dev
  outputs:
    dev: {type: duckdb, path: "target/synthetic.duckdb", schema: dev}
"""

MACROS = """\
{% macro cents(column) %}round({{ column }} * 100)::bigint{% endmacro %}

{% macro recent(column, days=30) %}{{ column }} >= current_date - interval {{ days }} day{% endmacro %}
"""


def layer_of(number):
    place = number % DOMAIN
    return "staging" if place < STAGING else "intermediate" if place < INTERMEDIATE else "marts"


def name_of(number):
    return f"{layer_of(number)[:3]}_{number // DOMAIN:03}_{number:05}"


def parents_of(number):
    """The models that a model reads; none for those that read a source."""
    domain, place = number - number % DOMAIN, number % DOMAIN
    if place < STAGING:
        return []
    if place < INTERMEDIATE:
        return [domain + place % STAGING, domain + (place * 7 + 3) % STAGING]
    parents = [domain + STAGING + place % 20, domain + STAGING + (place * 3 + 1) % 20]
    if place % 10 == 0 and domain:
        parents.append(domain - DOMAIN + STAGING + place % 20)
    return sorted(set(parents))


def sql_of(number):
    parents = parents_of(number)
    if parents:
        relations = [f"{{{{ ref('{name_of(parent)}') }}}}" for parent in parents]
    else:
        relations = [f"{{{{ source('raw_{number // DOMAIN:03}', 'table_{number % DOMAIN:02}') }}}}"]
    parts = [f"read_{i} as (\n    select * from {relation}\n)" for i, relation in enumerate(relations)]
    columns = ",\n        ".join(f"read_0.{column}" for column in COLUMNS)
    joins = "".join(f"\n    left join read_{i} on read_{i}.id = read_0.id" for i in range(1, len(relations)))
    parts.append(
        f"combined as (\n    select\n        {columns},\n        {{{{ cents('read_0.amount') }}}} as amount_cents,\n"
        f"        case when read_0.status in ('new', 'open') then {number} else 0 end as open_rank\n"
        f"    from read_0{joins}\n    where {{{{ recent('read_0.updated_at', days={30 + number % 60}) }}}}\n)")
    return "with " + ",\n\n".join(parts) + "\n\n-- one row an order, as the source has it\nselect * from combined\n"


def properties_of(numbers):
    lines = ["models:"]
    for number in numbers:
        lines += [f"  - name: {name_of(number)}",
                  f"    description: Orders of domain {number // DOMAIN}, as {layer_of(number)} number {number} keeps "
                  "them; one row an order, without the cancelled ones.",
                  "    columns:"]
        for column in DESCRIBED:
            lines += [f"      - name: {column}", f"        description: The {column.replace('_', ' ')} of the order."]
            if column == "id":
                lines.append("        data_tests: [unique, not_null]")
    return "\n".join(lines) + "\n"


def sources_of(domain, tables):
    lines = ["sources:", f"  - name: raw_{domain:03}", "    tables:"]
    lines += [f"      - name: table_{table:02}" for table in range(tables)]
    return "\n".join(lines) + "\n"


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def folder_of(root, number):
    return Path(root) / "models" / layer_of(number) / f"domain_{number // DOMAIN:03}"


def write(root, models):
    root = Path(root)
    put(root / "dbt_project.yml", PROJECT)
    put(root / "profiles.yml", PROFILES)
    put(root / "macros" / "amounts.sql", MACROS)
    by_folder = {}
    for number in range(models):
        folder = folder_of(root, number)
        put(folder / f"{name_of(number)}.sql", sql_of(number))
        by_folder.setdefault(folder, []).append(number)
    for folder, numbers in by_folder.items():
        put(folder / "_models.yml", properties_of(numbers))
        if layer_of(numbers[0]) == "staging":
            put(folder / "_sources.yml", sources_of(numbers[0] // DOMAIN, len(numbers)))


def change(root, models):
    """One model's SQL, another's setting, a new model, a deleted one, a new description."""
    domain = models // 2 - models // 2 % DOMAIN
    changed = folder_of(root, domain + 3) / f"{name_of(domain + 3)}.sql"
    changed.write_text(changed.read_text().replace("'open'", "'open', 'held'"))
    configured = folder_of(root, domain + 35) / f"{name_of(domain + 35)}.sql"
    configured.write_text("{{ config(materialized='view') }}\n" + configured.read_text())
    put(folder_of(root, domain + 40) / "added.sql", f"select id from {{{{ ref('{name_of(domain + 40)}') }}}}\n")
    last = models - 1
    (folder_of(root, last) / f"{name_of(last)}.sql").unlink()
    properties = folder_of(root, last) / "_models.yml"
    kept = [number for number in range(models) if folder_of(root, number) == folder_of(root, last) and number != last]
    properties.write_text(properties_of(kept).replace("The currency", "The ISO code of the currency", 1))
