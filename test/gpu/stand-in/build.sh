#!/usr/bin/env bash
# Builds the stand-ins, and puts the real CUDA provider of ONNX Runtime beside them, for test/gpu/stand-in.test.ts.
#
#   test/gpu/stand-in/build.sh [TO]     (default ~/.cache/sd-turbo-stand-in, where the test looks for it)
#
# needs: g++, python3 with pip (for PyPI)
# env:   WHEELS   where the wheels are kept between runs (default ~/.cache/sd-turbo-wheels): 250 MB
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../../.." && pwd)
TO=${1:-$HOME/.cache/sd-turbo-stand-in}
WHEELS=${WHEELS:-$HOME/.cache/sd-turbo-wheels}
# A system's Python may come without pip; CI has made this one before.
PYTHON=python3
[ ! -x "$ROOT/.venv/bin/python" ] || PYTHON=$ROOT/.venv/bin/python
# Pins of the container; headers are in these two wheels, and in none that is large.
provider=$(grep '^onnxruntime-gpu==' "$ROOT/functions/endpoint/cuda-wheels.txt")
runtime=$(grep '^nvidia-cuda-runtime==' "$ROOT/functions/endpoint/cuda-wheels.txt")
compiler='nvidia-cuda-crt==13.0.88 --hash=sha256:2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4'

# wheel REQUIREMENT: its path, downloaded once.
wheel() {
  local name pattern
  name=${1%%==*} pattern=${1#*==} pattern=${pattern%% *}
  name=${name//-/_}
  if ! ls "$WHEELS/$name-$pattern"-*.whl >/dev/null 2>&1; then
    echo "$1" >"$WHEELS/wanted.txt"
    "$PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
      --python-version 3.13 --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
      --platform manylinux2014_x86_64 --platform manylinux2010_x86_64 \
      --dest "$WHEELS" -r "$WHEELS/wanted.txt"
  fi
  ls "$WHEELS/$name-$pattern"-*.whl
}

# unpack WHEEL FOLDER PATTERN: the files of a wheel whose names match.
unpack() {
  python3 -c '
import re, sys, zipfile
wheel, folder, pattern = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if re.search(pattern, name)])' "$@"
}

rm -rf "$TO"
mkdir -p "$WHEELS" "$TO/libraries" "$TO/provider"
unpack "$(wheel "$runtime")" "$TO/unpacked" '\.(h|hpp)$'
unpack "$(wheel "$compiler")" "$TO/unpacked" '\.(h|hpp)$'
unpack "$(wheel "$provider")" "$TO/unpacked" 'libonnxruntime_providers_(cuda|shared)\.so$'

# library NAME OPTION...: the provider asks for its symbols by the library's name and version.
library() {
  local name=$1
  shift
  g++ -std=c++17 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -isystem "$TO/unpacked/nvidia/cu13/include" \
    "$@" -o "$TO/libraries/$name" -Wl,-soname,"$name"
}
versioned() {
  echo "$1 { global: *; };" >"$TO/unpacked/$1.map"
  library "$1" "$2" -Wl,--version-script="$TO/unpacked/$1.map"
}
cd "$HERE"
versioned libcudart.so.13 cudart.cpp
versioned libcublas.so.13 cublas.cpp
versioned libcublasLt.so.13 cublaslt.cpp
library libcuda.so.1 cuda.cpp cuda-absent.cpp
library libcudnn.so.9 cudnn.cpp
# As in the image: the provider is linked against it and takes nothing from it.
gcc -shared -Wl,-soname,libcurand.so.10 -o "$TO/libraries/libcurand.so.10" -x c /dev/null

mv "$TO"/unpacked/onnxruntime/capi/*.so "$TO/provider/"
rm -r "$TO/unpacked"
