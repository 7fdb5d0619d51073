#!/usr/bin/env bash
# The programs of a control plane, for tests: etcd from Debian's package, the others built from their Go modules.
#   programs.sh    builds what is missing; prints the folder they are in
# Everything lies in GARS_KUBERNETES (default ~/.cache/gars/kubernetes). Needs Go; without etcd, Debian's apt-get.
set -euo pipefail
kubernetes=v1.35.4
kwok=v0.7.0
work=${GARS_KUBERNETES:-${XDG_CACHE_HOME:-$HOME/.cache}/gars/kubernetes}
bin=$work/$kubernetes-$kwok

# Not installed: the package would start a server of its own.
unpack_etcd() {
  local folder
  folder=$(mktemp -d "$work/etcd.XXXXXX")
  (
    cd "$folder"
    apt-get download -qq etcd-server > /dev/null 2>&1 || { apt-get update -qq && apt-get download -qq etcd-server; }
    dpkg-deb --extract etcd-server_*.deb .
  ) >&2
  mv "$folder/usr/bin/etcd" "$bin/etcd"
  rm -rf "$folder"
}

# k8s.io/kubernetes names its parts (k8s.io/api and others) by folders of its repository: here they have the versions that
# are published with it.
write_kubernetes_module() {
  local source
  source=$(cd "$1" && GOFLAGS=-mod=mod go mod download -json "k8s.io/kubernetes@$kubernetes" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  {
    echo "module gars.test/kubernetes"
    grep -E '^(go|godebug) ' "$source/go.mod"
    echo "require k8s.io/kubernetes $kubernetes"
    sed -n "s|^\t\(k8s.io/[a-z-]*\) => ./staging/.*|replace \1 => \1 v0${kubernetes#v1}|p" "$source/go.mod"
  } > "$1/go.mod"
}

# Needs other versions of k8s.io/api and others, so it is a module of its own.
write_kwok_module() {
  printf 'module gars.test/kwok\ngo 1.25.0\nrequire sigs.k8s.io/kwok %s\n' "$kwok" > "$1/go.mod"
}

# build MODULE PACKAGE…: one package at a time, since other work goes on
build() {
  local folder minor=${kubernetes#v1.}
  local version=k8s.io/component-base/version
  folder=$(mktemp -d "$work/$1.XXXXXX")
  "write_$1_module" "$folder"
  (
    cd "$folder"
    CGO_ENABLED=0 GOFLAGS="-mod=mod -p=1 -trimpath -buildvcs=false" nice go build -o "$bin/" \
      -ldflags "-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}" "${@:2}"
  ) >&2
  rm -rf "$folder"
}

mkdir -p "$bin"
if [ ! -x "$bin/etcd" ]; then
  if command -v etcd > /dev/null; then ln -sf "$(command -v etcd)" "$bin/etcd"; else unpack_etcd; fi
fi
missing=()
for name in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
  [ -x "$bin/$name" ] || missing+=("k8s.io/kubernetes/cmd/$name")
done
[ "${#missing[@]}" = 0 ] || build kubernetes "${missing[@]}"
[ -x "$bin/kwok" ] || build kwok sigs.k8s.io/kwok/cmd/kwok
echo "$bin"
