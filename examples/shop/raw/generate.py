"""Makes up the raw data of a small web shop.

The tables are in third normal form, as an extract from the shop's own database would be. Nothing
here depends on today's date or on the machine: the same scale always gives the same bytes.

    python raw/generate.py DIRECTORY            # one CSV file per table
"""

import argparse
import csv
import io
import random
from bisect import bisect_right
from datetime import datetime, timedelta
from pathlib import Path

SEED = 20240101
FIRST_DAY = datetime(2024, 1, 1)
LAST_DAY = datetime(2025, 6, 30)
CUSTOMERS = 420
ORDERS = 1300

# Table -> column -> type. The types are spelled so that DuckDB and PostgreSQL both know them.
TABLES = {
    "customers": {
        "id": "integer",
        "email": "varchar",
        "first_name": "varchar",
        "last_name": "varchar",
        "country_code": "varchar",
        "accepts_marketing": "boolean",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "_loaded_at": "timestamp",
    },
    "products": {
        "id": "integer",
        "title": "varchar",
        "product_type": "varchar",
        "vendor": "varchar",
        "status": "varchar",
        "created_at": "timestamp",
        "updated_at": "timestamp",
        "_loaded_at": "timestamp",
    },
    "variants": {
        "id": "integer",
        "product_id": "integer",
        "sku": "varchar",
        "title": "varchar",
        "price_cents": "integer",
        "cost_cents": "integer",
        "updated_at": "timestamp",
        "_loaded_at": "timestamp",
    },
    "orders": {
        "id": "integer",
        "customer_id": "integer",
        "order_number": "varchar",
        "source_name": "varchar",
        "financial_status": "varchar",
        "shipping_country_code": "varchar",
        "shipping_cents": "integer",
        "created_at": "timestamp",
        "cancelled_at": "timestamp",
        "updated_at": "timestamp",
        "_loaded_at": "timestamp",
    },
    "order_lines": {
        "id": "integer",
        "order_id": "integer",
        "variant_id": "integer",
        "quantity": "integer",
        "unit_price_cents": "integer",
        "discount_cents": "integer",
        "_loaded_at": "timestamp",
    },
    "refunds": {
        "id": "integer",
        "order_line_id": "integer",
        "quantity": "integer",
        "amount_cents": "integer",
        "reason": "varchar",
        "created_at": "timestamp",
        "_loaded_at": "timestamp",
    },
    "fulfilments": {
        "id": "integer",
        "order_id": "integer",
        "status": "varchar",
        "carrier": "varchar",
        "shipped_at": "timestamp",
        "delivered_at": "timestamp",
        "updated_at": "timestamp",
        "_loaded_at": "timestamp",
    },
}

FIRST_NAMES = "Ada Bo Chidi Dana Elif Femi Greta Hugo Ines Jonas Kaia Liv Mateo Nour Otto Priya".split()
LAST_NAMES = "Abebe Berg Costa Dubois Eriksen Fischer Garcia Haas Ito Jansen Kowalski Lund".split()
COUNTRIES = {"DE": 30, "FR": 18, "NL": 14, "DK": 10, "SE": 9, "ES": 8, "PL": 6, "GB": 5}
SOURCES = {"web": 55, "ios_app": 16, "android_app": 12, "pos": 10, "marketplace": 7}
CARRIERS = ["DHL", "DPD", "PostNord", "UPS"]
REASONS = {"wrong_size": 40, "changed_mind": 30, "damaged": 18, "late_delivery": 12}

# Product type -> its variants, its lowest and highest price in cents.
PRODUCT_TYPES = {
    "Jackets": (["S", "M", "L", "XL"], 8900, 24900),
    "Shirts": (["S", "M", "L"], 2900, 6900),
    "Socks": (["36-40", "41-46"], 900, 1900),
    "Backpacks": (["20 l", "35 l"], 5900, 15900),
    "Tents": (["2 persons", "4 persons"], 14900, 39900),
    "Mugs": (["Steel", "Enamel"], 1200, 2800),
}
RANGES = ["Fjord", "Summit", "Heath", "Harbour", "Birch", "Ember", "Tundra", "Lagoon"]
VENDORS = ["Northline", "Ostwind", "Atelier Vale"]


def weighted(rng, weights):
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def loaded(changed_at):
    """The extract runs each night at three, and brings what changed on the day before."""
    return changed_at.replace(hour=3, minute=0, second=0) + timedelta(days=1)


def make_customers(rng, count):
    for id in range(1, count + 1):
        first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
        # The customers of the first day were there before the shop moved to this system.
        created = FIRST_DAY + timedelta(days=max(0, rng.randint(-90, 540)), minutes=rng.randint(0, 1439))
        updated = min(created + timedelta(days=rng.randint(0, 60)), LAST_DAY)
        yield {
            "id": id,
            "email": f"{first}.{last}.{id}@example.com".lower(),
            "first_name": first,
            "last_name": last,
            "country_code": weighted(rng, COUNTRIES),
            "accepts_marketing": rng.random() < 0.45,
            "created_at": created,
            "updated_at": updated,
            "_loaded_at": loaded(updated),
        }


def make_products(rng):
    id = 0
    for product_type in PRODUCT_TYPES:
        for range_name in RANGES:
            id += 1
            created = FIRST_DAY - timedelta(days=rng.randint(30, 400))
            updated = created + timedelta(days=rng.randint(0, 300))
            yield {
                "id": id,
                "title": f"{range_name} {product_type.removesuffix('s')}",
                "product_type": product_type,
                "vendor": rng.choice(VENDORS),
                "status": "archived" if rng.random() < 0.1 else "active",
                "created_at": created,
                "updated_at": updated,
                "_loaded_at": loaded(updated),
            }


def make_variants(rng, products):
    id = 0
    for product in products:
        titles, lowest, highest = PRODUCT_TYPES[product["product_type"]]
        price = rng.randrange(lowest, highest, 100)
        for size, title in enumerate(titles):
            id += 1
            updated = FIRST_DAY + timedelta(days=rng.randint(0, 500))
            yield {
                "id": id,
                "product_id": product["id"],
                "sku": f"{product['product_type'][:3].upper()}-{product['id']:03}-{size + 1}",
                "title": title,
                "price_cents": price + 500 * size,
                "cost_cents": int(price * rng.uniform(0.35, 0.6)),
                "updated_at": updated,
                "_loaded_at": loaded(updated),
            }


def pick_order_day(rng):
    """Later days are busier (the shop grows), and so are November and December."""
    while True:
        day = FIRST_DAY + timedelta(days=int(rng.triangular(0, 546, 546)))
        if day.month in (11, 12) or rng.random() < 0.6:
            return min(day, LAST_DAY)


def make_sales(rng, customers, variants, count):
    """Orders with all that hangs on them: lines, refunds and fulfilments."""
    orders, lines, refunds, fulfilments = [], [], [], []
    days = sorted(pick_order_day(rng) for _ in range(count))
    by_age = sorted(customers, key=lambda customer: customer["created_at"])

    for order_id, day in enumerate(days, start=1):
        known = max(1, bisect_right(by_age, day, key=lambda customer: customer["created_at"]))
        customer = by_age[int(known * rng.random() ** 1.6)]  # the oldest order most often
        created = max(day + timedelta(minutes=rng.randint(0, 1439)), customer["created_at"])
        cancelled = created + timedelta(hours=rng.randint(1, 30)) if rng.random() < 0.03 else None
        source = weighted(rng, SOURCES)
        order = {
            "id": order_id,
            "customer_id": customer["id"],
            "order_number": f"S{order_id:06}",
            "source_name": source,
            "financial_status": "voided" if cancelled else "paid",
            "shipping_country_code": customer["country_code"],
            "shipping_cents": 0 if source == "pos" else rng.choice([0, 490, 990]),
            "created_at": created,
            "cancelled_at": cancelled,
            "updated_at": cancelled or created,
        }
        orders.append(order)

        bought = refunded = 0
        for variant in rng.sample(variants, rng.choices([1, 2, 3, 4], weights=[40, 32, 18, 10])[0]):
            quantity = rng.choices([1, 2, 3], weights=[75, 19, 6])[0]
            # The price of a variant went up by a tenth on the day it was last changed.
            price = variant["price_cents"]
            if created < variant["updated_at"]:
                price = price * 10 // 11
            line = {
                "id": len(lines) + 1,
                "order_id": order_id,
                "variant_id": variant["id"],
                "quantity": quantity,
                "unit_price_cents": price,
                "discount_cents": quantity * price // 10 if rng.random() < 0.2 else 0,
                "_loaded_at": loaded(created),
            }
            lines.append(line)
            bought += quantity

            if not cancelled and rng.random() < 0.07:
                sent_back = rng.randint(1, quantity)
                paid = quantity * price - line["discount_cents"]
                refunded_at = created + timedelta(days=rng.randint(4, 30))
                if refunded_at <= LAST_DAY:
                    refunded += sent_back
                    order["updated_at"] = max(order["updated_at"], refunded_at)
                    refunds.append(
                        {
                            "id": len(refunds) + 1,
                            "order_line_id": line["id"],
                            "quantity": sent_back,
                            "amount_cents": paid * sent_back // quantity,
                            "reason": weighted(rng, REASONS),
                            "created_at": refunded_at,
                            "_loaded_at": loaded(refunded_at),
                        }
                    )
        if refunded:
            order["financial_status"] = "refunded" if refunded == bought else "partially_refunded"
        order["_loaded_at"] = loaded(order["updated_at"])

        # What is bought at the till needs no parcel; one order in twelve needs two.
        for _ in range(0 if cancelled or source == "pos" else 2 if rng.random() < 0.08 else 1):
            shipped = created + timedelta(hours=rng.randint(4, 72))
            delivered = shipped + timedelta(hours=rng.randint(18, 160))
            arrived = delivered <= LAST_DAY
            lost = arrived and rng.random() < 0.01
            fulfilments.append(
                {
                    "id": len(fulfilments) + 1,
                    "order_id": order_id,
                    "status": "lost" if lost else "delivered" if arrived else "in_transit",
                    "carrier": rng.choice(CARRIERS),
                    "shipped_at": shipped,
                    "delivered_at": delivered if arrived and not lost else None,
                    "updated_at": delivered if arrived else shipped,
                    "_loaded_at": loaded(delivered if arrived else shipped),
                }
            )
    return orders, lines, refunds, fulfilments


def generate(scale=1):
    """Table -> rows, each a value per column of TABLES. `scale` multiplies customers and orders."""
    rng = random.Random(SEED)
    customers = list(make_customers(rng, CUSTOMERS * scale))
    products = list(make_products(rng))
    variants = list(make_variants(rng, products))
    orders, lines, refunds, fulfilments = make_sales(rng, customers, variants, ORDERS * scale)
    made = {
        "customers": customers,
        "products": products,
        "variants": variants,
        "orders": orders,
        "order_lines": lines,
        "refunds": refunds,
        "fulfilments": fulfilments,
    }
    return {table: [[row[column] for column in TABLES[table]] for row in made[table]] for table in TABLES}


def to_csv(table, rows):
    """CSV with a header; what is empty is null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TABLES[table])
    writer.writerows(rows)
    return text.getvalue()


def main():
    parser = argparse.ArgumentParser(description="Write the shop's raw data as CSV files.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=int, default=1, help="so many times the customers and orders")
    args = parser.parse_args()

    args.directory.mkdir(parents=True, exist_ok=True)
    for table, rows in generate(args.scale).items():
        (args.directory / f"{table}.csv").write_text(to_csv(table, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
