# offshoot with a dbt environment, for container jobs, ECS, Cloud Run, Kubernetes and Airflow: docs/container.md.
# docker build --build-arg ADAPTERS="dbt-postgres dbt-duckdb" --tag offshoot .
ARG BASE=docker.io/library/debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716

FROM ${BASE} AS build
WORKDIR /src
COPY ci/lib.sh ci/setup ci/build ci/bundle ci/
RUN ci/setup build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY src src
COPY templates templates
# As it is released: with its libraries beside it.
RUN ci/build package && ci/bundle build/package/offshoot /opt/offshoot

FROM ${BASE} AS environment
ARG ADAPTERS="dbt-duckdb dbt-postgres"
ARG DBT="dbt-core~=1.11.0"
ARG LINTERS="sqlfluff~=4.4.0 sqlfluff-templater-dbt~=4.4.0"
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
# The words of these arguments are meant to be split.
# hadolint ignore=SC2086
RUN python3 -m venv /opt/dbt && /opt/dbt/bin/pip install --quiet --no-cache-dir --disable-pip-version-check $DBT $ADAPTERS $LINTERS

FROM ${BASE}
LABEL org.opencontainers.image.title=offshoot org.opencontainers.image.licenses=Apache-2.0 \
      org.opencontainers.image.source=https://github.com/offshoot-dev/offshoot
# git: dbt fetches packages with it.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 git ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 offshoot && install --directory --owner offshoot --group offshoot /work
COPY --from=environment /opt/dbt /opt/dbt
COPY --from=build /opt/offshoot /opt/offshoot
ENV VIRTUAL_ENV=/opt/dbt PATH=/opt/dbt/bin:/opt/offshoot/bin:/usr/local/bin:/usr/bin:/bin DBT_SEND_ANONYMOUS_USAGE_STATS=false
USER offshoot
WORKDIR /work
# In exec form, so that offshoot itself gets the signals of whoever stops the container.
ENTRYPOINT ["offshoot"]
CMD ["--help"]
