def model(dbt, session):
    dbt.config(materialized="table", tags=["nightly"])
    revenue = dbt.ref("revenue")
    factor = dbt.config.get("factor", 1)
    return revenue.project("sold_on, revenue") if factor else revenue
