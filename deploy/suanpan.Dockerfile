FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN apt-get update && apt-get install -y --no-install-recommends cmake && cargo build --locked --release --package suanpan

FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
 && useradd --system suanpan \
 # A new volume takes the owner of the folder that it is put on.
 && install -d -o suanpan -m 0700 /var/lib/suanpan
COPY --from=build /src/target/release/suanpan /usr/local/bin/suanpan
USER suanpan
