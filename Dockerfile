# The image: the program with its pages, on a base without shell or package manager, as a user without rights.
#
#   docker build --tag rootstock .
#   docker buildx build --platform linux/amd64,linux/arm64 --tag rootstock .
#
# The second is right on any machine and slow on most: what is compiled for the other processor is compiled under
# emulation. The deployment builds on a machine of the processor that it deploys to. What the pages are bundled by runs
# on the machine that builds, whatever the image is for: they are the same for all.
#
# Bases are named by tag, so that a rebuild takes the fixes of the day; Node.js and Rust are those of
# .github/workflows/ci.yml. Which bases an image was made of, by digest, is in the summary of the workflow that built it.

FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS web
WORKDIR /src/web
COPY web/.npmrc web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund --loglevel=error
COPY web/ ./
RUN npm run --silent build


FROM rust:1.95-bookworm AS build
WORKDIR /src
# Any profile of Cargo.toml: `dist` is smallest; `release` is built in less than half of the time.
ARG PROFILE=dist
# Set by the builder. Each processor has a folder of its own in the cache.
ARG TARGETARCH
COPY . ./
COPY --from=web /src/web/dist web/dist
# The caches keep crates and what is compiled of them from one build to the next; they are no part of the image, so the
# program is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/cache \
    CARGO_TARGET_DIR=/cache/$TARGETARCH cargo build --profile "$PROFILE" --locked --bin rootstock \
 && install -D "/cache/$TARGETARCH/$PROFILE/rootstock" /image/usr/local/bin/rootstock
# What needs a shell is done here, for the next stage has none.
RUN install -D --mode=0644 LICENSE /image/usr/share/doc/rootstock/LICENSE \
 && install --directory /image/etc/rootstock /image/data \
 && find deploy/certificates -name '*.pem' -exec install --mode=0644 '{}' /image/etc/rootstock/ ';' \
 && chown 65532:65532 /image/data


FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=unreleased
ARG REVISION=unknown
ARG SOURCE=
LABEL org.opencontainers.image.title="Rootstock" \
      org.opencontainers.image.description="Declare a table once; serve it as GraphQL and as REST, on SQLite and PostgreSQL." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image/ /
# SQLite's default is a file of the working folder: /data/rootstock.db. That is why DATABASE_URL is not set here, where it
# would also win over a `.env` file of that folder. Temporary files of large sorts are there too, unless /tmp is writable.
WORKDIR /data
VOLUME /data
ENV BIND_ADDR=0.0.0.0:8000
EXPOSE 8000
# Its number, so that Kubernetes can tell that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
# Asks /readyz: who waits for this container (`depends_on: condition: service_healthy`) waits for a database that answers
# and is migrated. What restarts a container that is not healthy must ask /livez instead, or it would restart the server
# for an outage of the database: `rootstock health --url http://127.0.0.1:8000/livez`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/local/bin/rootstock", "health"]
ENTRYPOINT ["/usr/local/bin/rootstock"]
