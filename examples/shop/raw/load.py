"""Loads the generated raw data into schema `raw` of a warehouse, in place of what was there.

    python raw/load.py --duckdb ci.duckdb
    python raw/load.py --postgres "host=localhost dbname=shop user=shop"

Tables that exist are emptied, not dropped: views may stand on them.
"""

import argparse
import io
import tempfile
from pathlib import Path

from generate import TABLES, generate, to_csv


def create_table(table):
    columns = ", ".join(f"{name} {type}" for name, type in TABLES[table].items())
    return f"create table if not exists raw.{table} ({columns})"


def load_duckdb(path, data):
    import duckdb

    with duckdb.connect(path) as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("begin")
        connection.execute("create schema if not exists raw")
        for table, rows in data.items():
            file = Path(folder, f"{table}.csv")
            file.write_text(to_csv(table, rows), encoding="utf-8")
            connection.execute(create_table(table))
            connection.execute(f"delete from raw.{table}")
            connection.execute(f"copy raw.{table} from '{file}' (format csv, header)")
        connection.execute("commit")


def load_postgres(dsn, data):
    import psycopg2

    connection = psycopg2.connect(dsn)
    with connection, connection.cursor() as cursor:  # one transaction
        cursor.execute("create schema if not exists raw")
        for table, rows in data.items():
            cursor.execute(create_table(table))
            cursor.execute(f"delete from raw.{table}")
            cursor.copy_expert(
                f"copy raw.{table} from stdin (format csv, header)",
                io.StringIO(to_csv(table, rows)),
            )
    connection.close()


def main():
    parser = argparse.ArgumentParser(description="Load the shop's raw data into a warehouse.")
    warehouse = parser.add_mutually_exclusive_group(required=True)
    warehouse.add_argument("--duckdb", metavar="PATH", help="a DuckDB file, made if absent")
    warehouse.add_argument("--postgres", metavar="DSN", help="a libpq connection string")
    parser.add_argument("--scale", type=int, default=1, help="so many times the customers and orders")
    args = parser.parse_args()

    data = generate(args.scale)
    if args.duckdb:
        load_duckdb(args.duckdb, data)
    else:
        load_postgres(args.postgres, data)
    print(", ".join(f"{len(rows)} {table}" for table, rows in data.items()))


if __name__ == "__main__":
    main()
