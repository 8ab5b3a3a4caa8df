#!/usr/bin/env bash
# Shows that the check at the end of the image's build can fail: takes one file at a time out of the image
# and expects check-cuda-provider.mjs to refuse what is left. As root, after build-image.sh.
#
#   test/container/break-image.sh [TAG]     (default sd-turbo-endpoint; uses TAG-check)
set -euo pipefail

IMAGE=${1:-sd-turbo-endpoint}-check
PROVIDERS=opt/server/node_modules/onnxruntime-node/bin/napi-v6/linux/x64
passed=0 failed=0

# check_after COMMAND: runs the check in a fresh copy of the image in which COMMAND has been run; prints what it says.
check_after() {
  local container root status=0
  container=$(buildah from --pull-never "$IMAGE")
  root=$(buildah mount "$container")
  (cd "$root" && eval "$1")
  unshare --mount sh -ec 'mount --rbind /dev "$0/dev"; mount -t proc proc "$0/proc"
    exec chroot "$0" env -i --chdir=/opt/server PATH=/usr/local/bin LD_LIBRARY_PATH=/check ORT_DISABLE_TELEMETRY=1 \
      node /check/check-cuda-provider.mjs' "$root" 2>&1 || status=$?
  buildah rm "$container" >/dev/null
  return "$status"
}

# refuses NAME COMMAND PATTERN: after COMMAND the check fails and says something that matches PATTERN.
refuses() {
  local said
  if said=$(check_after "$2"); then
    echo "FAIL $1: the check passed" >&2
  elif ! grep -q -- "$3" <<<"$said"; then
    printf 'FAIL %s: the check does not say why:\n%s\n' "$1" "$said" >&2
  else
    echo "ok   refused: $1"
    passed=$((passed + 1))
    return
  fi
  failed=$((failed + 1))
}

# Before anything is taken out the check passes, and names what it looked for.
libraries=$(check_after true | node -e 'console.log(JSON.parse(require("node:fs").readFileSync(0, "utf8")).libraries.join("\n"))')
for library in $libraries; do
  refuses "without $library" "rm opt/cuda/lib/$library" "$library"
done
for library in libonnxruntime_providers_cuda.so libonnxruntime_providers_shared.so; do
  refuses "without $library" "rm $PROVIDERS/$library" "$library"
done
refuses 'without a driver' 'rm check/libcuda.so.1' 'libcuda.so.1'
refuses 'the libraries where the loader does not look' 'rm etc/ld.so.cache' 'cannot open shared object file'
refuses 'a library without its symbols' 'cp check/libcuda.so.1 opt/cuda/lib/libcublas.so.13' 'undefined symbol\|version .* not found'

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
