# Both images; docs/guide/containers.md says how to use them, docs/design/containers.md why they
# are made so.
#
#   docker build -t xg2g .                                     the daemon
#   docker build -t xg2g-transcoder --target transcoder .      the external transcoder
#
# Debian's packages are not pinned: what gets into an image from them is security updates, and the
# release is pinned by the tags of the base images.
ARG RUST_IMAGE=rust:1.95-slim-trixie
ARG PYTHON_IMAGE=python:3.13-slim-trixie
ARG NODE_IMAGE=node:22.20-trixie-slim

# The codecs change seldom and compile for a minute: a layer of their own.
FROM ${RUST_IMAGE} AS codecs
# The lists stay: build-codecs.sh turns to Debian's sources where FFmpeg's own cannot be reached.
# hadolint ignore=DL3008,DL3009
RUN apt-get update \
  && apt-get install --yes --no-install-recommends \
    ca-certificates curl g++ make nasm python3 python3-venv xz-utils
WORKDIR /src
ENV XG2G_CODECS_DIR=/opt/codecs
COPY scripts/build-codecs.sh scripts/counted.sh scripts/
RUN scripts/build-codecs.sh

FROM codecs AS sources
ENV CARGO_PROFILE_RELEASE_STRIP=debuginfo
COPY Cargo.toml Cargo.lock ./
COPY transcoder transcoder

# One file that needs nothing of the system: its image holds it alone.
FROM sources AS service
RUN --mount=type=cache,id=xg2g-crates,target=/usr/local/cargo/registry \
    --mount=type=cache,id=xg2g-service,target=/src/target \
  target=$(rustc --print host-tuple) \
  && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked \
    --package xg2g-transcoder --bin xg2g-transcoder --features service --target "$target" \
  && cp "target/$target/release/xg2g-transcoder" /opt/ \
  && mkdir -p /opt/run/xg2g

FROM ${NODE_IMAGE} AS page
WORKDIR /src
COPY page/package.json page/package-lock.json page/
RUN npm --prefix page ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY licenses licenses
COPY page page
RUN mkdir -p xg2g/web/pages && node page/build.mjs

FROM sources AS wheel
COPY requirements/build.txt requirements/
RUN python3 -m venv /opt/build \
  && /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements/build.txt
COPY pyproject.toml hatch_build.py README.md CHANGELOG.md LICENSE NOTICE ./
COPY licenses licenses
COPY scripts scripts
COPY backends backends
COPY xg2g xg2g
COPY --from=page /src/xg2g/web/pages/built xg2g/web/pages/built
RUN --mount=type=cache,id=xg2g-crates,target=/usr/local/cargo/registry \
    --mount=type=cache,id=xg2g-wheel,target=/src/target \
  /opt/build/bin/hatchling build --target wheel --directory /opt/wheel

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /opt
COPY requirements/runtime.txt .
COPY --from=wheel /opt/wheel /opt/wheel
RUN python -m venv --without-pip /opt/xg2g \
  && pip --python /opt/xg2g/bin/python install --no-cache-dir --require-hashes --requirement runtime.txt \
  && pip --python /opt/xg2g/bin/python install --no-cache-dir --no-index --no-deps wheel/*.whl

FROM scratch AS transcoder
LABEL org.opencontainers.image.title="xg2g-transcoder" \
  org.opencontainers.image.description="Converts the sound of MPEG transport streams to AAC, over HTTP" \
  org.opencontainers.image.version="1.0.0" \
  org.opencontainers.image.licenses="MIT AND LGPL-2.1-or-later AND FDK-AAC"
COPY LICENSE NOTICE /licenses/
COPY licenses /licenses/
COPY --from=service /opt/xg2g-transcoder /
# A volume that is mounted here for the first time takes its owner from the image.
COPY --from=service --chown=65532:65532 /opt/run/xg2g /run/xg2g
ENV XG2G_TRANSCODER_LISTEN=0.0.0.0:3000
USER 65532:65532
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/xg2g-transcoder", "healthcheck"]
ENTRYPOINT ["/xg2g-transcoder"]

FROM ${PYTHON_IMAGE} AS daemon
LABEL org.opencontainers.image.title="xg2g" \
  org.opencontainers.image.description="Streams Enigma2 television with sound that every client plays" \
  org.opencontainers.image.version="1.0.0" \
  org.opencontainers.image.licenses="MIT AND LGPL-2.1-or-later AND FDK-AAC"
RUN pip uninstall --yes pip \
  && install --directory --owner=65532 --group=65532 /run/xg2g /data
COPY --from=packages /opt/xg2g /opt/xg2g
# In a container the address that counts is the one that is published.
ENV PATH=/opt/xg2g/bin:$PATH \
  PYTHONDONTWRITEBYTECODE=1 \
  XG2G_HOST=0.0.0.0 \
  XG2G_PORT=8088 \
  XG2G_DATA_DIR=/data \
  XG2G_WAIT=true
USER 65532:65532
EXPOSE 8088
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 CMD ["python", "-m", "xg2g.healthcheck"]
ENTRYPOINT ["xg2g"]
CMD ["serve"]
