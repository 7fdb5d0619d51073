#!/usr/bin/env bash
# A container engine of its own for these tests, with stand-ins for the images that cannot be pulled.
#   engine.sh up    install docker and docker-compose, start dockerd, build the stand-ins; prints DOCKER_HOST
#   engine.sh down  stop what `up` started; images stay as a cache
# Everything lies in GARS_CONTAINERS (default ~/.cache/gars/containers). Needs root and Debian's packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${GARS_CONTAINERS:-${XDG_CACHE_HOME:-$HOME/.cache}/gars/containers}
engines=${GARS_ENGINES:-$HOME/.cache/gars/engines}
run=$work/run
export DOCKER_HOST=unix://$run/docker.sock DOCKER_BUILDKIT=1
docker=/usr/bin/docker  # the distribution's: of one version with its dockerd
kafka=$(sed -n 's/^ *image: \(apache\/kafka:.*\)/\1/p' "$root/deploy/compose.yaml")
# addresses for tests, which no network uses
pool=198.18.0.0/16
bridge=198.18.255.1/24

install_packages() {
  local missing=()
  for name in docker.io docker-compose iptables debootstrap; do
    dpkg-query --show --showformat='${Status}' "$name" 2> /dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ "${#missing[@]}" = 0 ] && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

start_dockerd() {
  $docker version > /dev/null 2>&1 && return
  mkdir -p "$run"
  setsid dockerd --data-root "$work/data" --exec-root "$run/exec" --pidfile "$run/docker.pid" --host "$DOCKER_HOST" \
    --storage-driver overlay2 --default-address-pool "base=$pool,size=24" --bip "$bridge" \
    > "$work/dockerd.log" 2>&1 < /dev/null &
  local deadline=$((SECONDS + 120))
  until $docker version > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || { tail -n 20 "$work/dockerd.log" >&2; echo "dockerd did not start: see $work/dockerd.log" >&2; exit 1; }
    sleep 0.5
  done
}

make_base() {
  $docker image inspect gars-stand-in > /dev/null 2>&1 && return
  local folder
  folder=$(mktemp -d "$work/base.XXXXXX")
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder/root" > "$folder/log" 2>&1 \
    || { tail -n 20 "$folder/log" >&2; exit 1; }
  rm -rf "$folder/root"/var/cache/apt/archives/*.deb "$folder/root"/var/lib/apt/lists/*
  # as the official slim images: without documentation and translations
  rm -rf "$folder/root"/usr/share/{doc,groff,info,linda,lintian,locale,man}/*
  printf 'path-exclude /usr/share/%s/*\n' doc groff info linda lintian locale man > "$folder/root/etc/dpkg/dpkg.cfg.d/docker"
  # certificates that this machine trusts, for registries behind a proxy
  cp /etc/ssl/certs/ca-certificates.crt "$folder/root/etc/ssl/certs/"
  # a layer that is lost is built again: no need to wait for the disk
  echo force-unsafe-io > "$folder/root/etc/dpkg/dpkg.cfg.d/unsafe-io"
  # as the official images of Debian: or each layer that installs something has 80 MB of package lists
  printf 'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n' > "$folder/root/etc/apt/apt.conf.d/no-package-cache"
  tar --create --directory "$folder/root" . | $docker import - gars-stand-in > /dev/null
  rm -rf "$folder"
}

build_stand_ins() {
  local context
  context=$(mktemp -d "$work/context.XXXXXX")
  # the commands of Kafka, which the broker does not need: its health check is one of them
  [ -f "$work/kafka-tools-${kafka#*:}.jar" ] || mvn --batch-mode --quiet dependency:copy \
    -Dartifact="org.apache.kafka:kafka-tools:${kafka#*:}" -DoutputDirectory="$work" >&2
  cp "$here"/stand_ins/* "$context"
  cp -L /etc/ssl/certs/java/cacerts "$context/cacerts"
  cp "$root"/deploy/kafka/{log4j2,server}.properties "$root"/deploy/cassandra/{jvm.options,logback.xml} "$context"
  for engine in kafka cassandra; do
    mkdir "$context/$engine"
    cp "$engines/$engine"-*/*.jar "$context/$engine/"
  done
  cp "$work/kafka-tools-${kafka#*:}.jar" "$context/kafka/"
  for pair in "$@"; do
    $docker build --quiet --target "${pair%%=*}" --tag "${pair#*=}" "$context" > /dev/null
  done
  rm -rf "$context"
}

case "${1:-}" in
  up)
    mkdir -p "$work"
    install_packages
    start_dockerd
    make_base
    build_stand_ins python=python:3.11-slim node=node:22-slim java=eclipse-temurin:17-jre \
      maven=maven:3.9-eclipse-temurin-17 nginx=nginxinc/nginx-unprivileged:1.28-alpine redis=redis:7.4 \
      "kafka=$kafka" \
      "cassandra=$(sed -n 's/^ARG CASSANDRA=//p' "$root/deploy/cassandra/Dockerfile")"
    echo "$DOCKER_HOST"
    ;;
  down)
    [ -f "$run/docker.pid" ] || exit 0
    pid=$(cat "$run/docker.pid")
    kill "$pid" 2> /dev/null || exit 0
    deadline=$((SECONDS + 60))
    while kill -0 "$pid" 2> /dev/null; do
      [ "$SECONDS" -lt "$deadline" ] || { echo "dockerd $pid does not end" >&2; exit 1; }
      sleep 0.5
    done
    # its bridge outlives it
    ip link show docker0 2> /dev/null | grep -q docker0 && ip link delete docker0
    ;;
  *)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
