# offshoot with a dbt environment, for container jobs, ECS, Cloud Run, Kubernetes and Airflow.
# docker build --build-arg ADAPTERS="dbt-postgres dbt-duckdb" --tag offshoot .
ARG BASE=docker.io/library/debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716

FROM ${BASE} AS build
WORKDIR /src
COPY ci/lib.sh ci/setup ci/build ci/
RUN apt-get update -qq && ci/setup build && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY src src
COPY templates templates
RUN ci/build release && strip --strip-all build/release/offshoot

FROM ${BASE} AS environment
ARG ADAPTERS="dbt-duckdb dbt-postgres"
ARG DBT="dbt-core~=1.11.0"
ARG LINTERS="sqlfluff~=4.4.0 sqlfluff-templater-dbt~=4.4.0"
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 python3-venv && rm -rf /var/lib/apt/lists/*
# The words of these arguments are meant to be split.
# hadolint ignore=SC2086
RUN python3 -m venv /opt/dbt && /opt/dbt/bin/pip install --quiet --no-cache-dir --disable-pip-version-check $DBT $ADAPTERS $LINTERS

FROM ${BASE}
# git: dbt fetches packages with it. The rest is what offshoot is linked with.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3 git ca-certificates \
      libgit2-1.5 libyaml-cpp0.7 libsimdjson14 libfmt9 libcurl4 libssl3 libpugixml1v5 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 offshoot
COPY --from=environment /opt/dbt /opt/dbt
COPY --from=build /src/build/release/offshoot /usr/local/bin/offshoot
ENV VIRTUAL_ENV=/opt/dbt PATH=/opt/dbt/bin:/usr/local/bin:/usr/bin:/bin DBT_SEND_ANONYMOUS_USAGE_STATS=false
USER offshoot
WORKDIR /work
# In exec form, so that offshoot itself gets the signals of whoever stops the container.
ENTRYPOINT ["offshoot"]
CMD ["--help"]
