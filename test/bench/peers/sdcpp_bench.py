"""Times stable-diffusion.cpp, phase by phase, beside this project. Needs: pip install stable-diffusion-cpp-python

    python sdcpp_bench.py --model DIR [--steps N] [--size N] [--threads N]

Speaks as diffusers_bench.py --interactive does: one line with the settings when it is ready (loaded, and run once), then
one line per run for each line read on stdin, a JSON object with any of `prompt`, `steps`, `seed`, `out` (a PNG to write).
The phases are what its own log says, so that they are rounded to 10 ms.
"""
import argparse
import ctypes
import importlib.metadata
import json
import os
import re
import sys
import tempfile
import time

# Libraries print too; stdout carries the answers only.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import stable_diffusion_cpp  # noqa: E402

PROMPT = "A tree in a field under the night sky"
PHASES = {"get_learned_condition": "text_encoder_ms", "sampling": "unet_ms", "decode_first_stage": "decoder_ms"}
TIMES = {}


@stable_diffusion_cpp.sd_log_callback
def read_log(_level, text, _data):
    match = re.search(r"(\w+) completed, taking ([\d.]+)\s?s", text.decode("utf-8", errors="replace"))
    if match and match[1] in PHASES:
        TIMES[PHASES[match[1]]] = float(match[2]) * 1000


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="DIR", help="a checkpoint in diffusers layout")
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser.parse_args()


def plain_names(folder):
    """It knows no `.fp16.` in the names of files: links without it, in a folder of their own."""
    links = tempfile.TemporaryDirectory()
    for at, _, files in os.walk(folder, followlinks=True):
        here = os.path.join(links.name, os.path.relpath(at, folder))
        os.makedirs(here, exist_ok=True)
        for name in files:
            os.symlink(os.path.abspath(os.path.join(at, name)), os.path.join(here, name.replace(".fp16.", ".")))
    return links


def main():
    args = parse_arguments()
    links = plain_names(args.model)
    model = stable_diffusion_cpp.StableDiffusion(
        model_path=links.name, vae_decode_only=True, n_threads=args.threads, verbose=False)
    stable_diffusion_cpp.sd_set_log_callback(read_log, ctypes.c_void_p(0))

    def run(prompt=PROMPT, steps=args.steps, seed=0, out=None):
        TIMES.clear()
        start = time.perf_counter()
        image = model.generate_image(prompt=prompt, width=args.size, height=args.size, cfg_scale=1.0, sample_method="euler",
                                     sample_steps=steps, seed=seed)[0]
        total = (time.perf_counter() - start) * 1000
        if out:
            image.save(out)
        assert len(TIMES) == len(PHASES), TIMES
        unet = TIMES["unet_ms"] / steps
        return dict(steps=steps, size=list(image.size), text_encoder_ms=TIMES["text_encoder_ms"], unet_step_ms=[unet] * steps,
                    decoder_ms=TIMES["decoder_ms"], total_ms=round(total, 2))

    run()
    version = importlib.metadata.version("stable-diffusion-cpp-python")
    print(json.dumps(dict(ready=True, model=args.model, decoder="vae", steps=args.steps, threads=args.threads,
                          versions={"stable-diffusion-cpp-python": version})), file=ANSWERS)
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line.strip() or "{}"))), file=ANSWERS)


if __name__ == "__main__":
    main()
