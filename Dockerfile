# callcrm in a container: Debian's own Python, nothing built at run time, no root.
# The first stage installs (and builds the browser's files, with a Node that stays behind); the second runs.

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python3 -m venv /opt/callcrm && /opt/callcrm/bin/pip install --no-cache-dir --disable-pip-version-check uv
COPY requirements.lock ./
RUN /opt/callcrm/bin/uv pip sync --no-cache --python /opt/callcrm/bin/python --require-hashes requirements.lock
COPY . .
RUN /opt/callcrm/bin/uv pip install --no-cache --python /opt/callcrm/bin/python --no-deps . \
    && /opt/callcrm/bin/uv pip uninstall --python /opt/callcrm/bin/python pip setuptools uv \
    && /opt/callcrm/bin/python -m compileall -q /opt/callcrm/lib

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/callcrm --create-home callcrm
COPY --from=build /opt/callcrm /opt/callcrm
COPY config/callcrm.toml /etc/callcrm/callcrm.toml
ENV PATH=/opt/callcrm/bin:$PATH PYTHONUNBUFFERED=1 \
    CALLCRM_WEB__HOST=0.0.0.0 CALLCRM_PUSH__HOST=0.0.0.0
WORKDIR /var/lib/callcrm
RUN install -d -o callcrm data
VOLUME /var/lib/callcrm/data
USER callcrm
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "callcrm"]
CMD ["run", "--config", "/etc/callcrm/callcrm.toml"]
