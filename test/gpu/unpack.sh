# Unpacks what test/gpu/pack.sh has made, and sets this shell's environment to use it: source test/gpu/unpack.sh FOLDER [TO]
# The CUDA libraries are those of the machine's PyTorch.
kit_parts=$(realpath "$1")
kit=$(realpath -m "${2:-/tmp/gpu-kit}")
(cd "$kit_parts" && sha256sum --check --quiet kit.sha256) || { echo "parts are missing or damaged" >&2; return 1; }
mkdir -p "$kit"
cat "$kit_parts"/kit.tar.xz.* | python3 -c '
import sys, tarfile
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|xz") as tar:
    tar.extractall(sys.argv[1], filter="data")' "$kit" || return 1
[ -e node_modules ] || ln -s "$kit/kit/node_modules" node_modules
export PATH="$kit/kit/bin:$PATH"
export PYTHONPATH="$kit/kit/python${PYTHONPATH:+:$PYTHONPATH}"
export LD_LIBRARY_PATH="$(python3 -c '
import glob, os, torch
site = os.path.dirname(os.path.dirname(torch.__file__))
print(":".join(glob.glob(f"{site}/nvidia/*/lib")))')${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
