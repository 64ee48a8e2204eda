# The image for pipelines: a static hss-iac, a shell, git (for runs about a change) and certificates.
#
#   docker build --tag hss-iac .

FROM rust:1.95-alpine3.22 AS build
# C for `ring`. A release of Alpine keeps one minor version of each package and drops the old file with every security
# fix, so a full version here would break the build on the day that it matters.
# hadolint ignore=DL3018
RUN apk add --no-cache gcc musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY benches ./benches
COPY src ./src
RUN cargo build --release --locked --bin hss-iac

FROM alpine:3.22
# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates git && adduser -D -u 10001 scan
COPY --from=build /src/target/release/hss-iac /usr/local/bin/hss-iac
COPY LICENSE-APACHE LICENSE-MIT /usr/share/licenses/hss-iac/
USER 10001:10001
WORKDIR /work
HEALTHCHECK NONE
ENTRYPOINT ["hss-iac"]
CMD ["--help"]
