# PostgreSQL 15、Patroni 和 etcd，都是 Debian 12 的软件包：和高可用测试用的一样。
# PostgreSQL 15, Patroni and etcd as Debian 12 packages them: those that the test of high availability uses.
FROM debian:12
# hadolint ignore=DL3008 # those of Debian 12, with its corrections
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends etcd-server patroni postgresql \
 && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* \
 && install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data /var/lib/postgresql/etcd
COPY deploy/patroni.yaml /etc/patroni.yaml
# hadolint ignore=DL3066 # the package chose its number
USER postgres
