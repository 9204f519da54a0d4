# 从仓库根目录构建 / build it from the root of the repository:
#
#   docker build -f deploy/suanpan.Dockerfile -t suanpan:0.1.0 .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
# The image has this toolchain; rust-toolchain.toml would fetch another one.
ENV RUSTUP_TOOLCHAIN=$RUST_VERSION
# Most of the file are the lines of a backtrace; the names of functions stay.
RUN cargo build --locked --release --package suanpan \
 && strip --strip-debug -o /suanpan target/release/suanpan

FROM debian:12-slim
# hadolint ignore=DL3008 # a pinned certificate store would be an old one
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/suanpan --shell /usr/sbin/nologin suanpan \
 # A new volume takes the owner of the folder that it is put on.
 && install -d -o suanpan -m 0700 /var/lib/suanpan
COPY --from=build /suanpan /usr/local/bin/suanpan
# By number: Kubernetes can then see that it is not root.
USER 10001
WORKDIR /var/lib/suanpan
ENV SUANPAN_SERVER__LISTEN=0.0.0.0:8080 SUANPAN_LOG__FORMAT=json
EXPOSE 8080
# There is no curl in here, and bash has sockets.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
CMD ["suanpan", "serve", "--config", "/etc/suanpan/suanpan.toml"]
