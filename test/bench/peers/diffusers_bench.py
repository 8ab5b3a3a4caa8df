"""Times diffusers on PyTorch, on the CPU: the mark that this project is measured against.

    python test/bench/peers/diffusers_bench.py --model DIR [--taesd DIR] [--steps N] [--runs N] [--channels-last] [--threads N]
    [--compile] [--device cuda --precision float16] [--openvino float32|default]

Float32 arithmetic unless told otherwise (also where the files are float16), 512 x 512, no guidance, one picture per run. One JSON object on
stdout, times in milliseconds: `total_ms` is from prompt to picture; the phases are what its networks took of it.

With `--interactive` it stays alive, so that a caller can alternate it with something else: it writes one line with the
settings when it is ready (loaded, and run once), then one line per run for each line read on stdin. A line is empty or
a JSON object with any of `prompt`, `steps`, `seed`, `out` (a PNG to write).
"""
import argparse
import glob
import json
import os
import statistics
import sys
import time

# Libraries print too; stdout carries the answers only.
ANSWERS = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)

import diffusers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from diffusers import AutoencoderTiny, StableDiffusionPipeline  # noqa: E402

PROMPT = "A tree in a field under the night sky"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, metavar="DIR")
    parser.add_argument("--taesd", metavar="DIR", help="decode with this AutoencoderTiny")
    parser.add_argument("--prompt", default=PROMPT)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=1, metavar="RUNS")
    parser.add_argument("--channels-last", action="store_true", help="memory format of UNet and decoder")
    parser.add_argument("--compile", action="store_true", help="torch.compile of UNet and decoder, with its defaults")
    parser.add_argument("--openvino", choices=["float32", "default"],
                        help="run the networks in OpenVINO: in float32, or in what it takes by itself")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--precision", default="float32", choices=["float32", "float16"])
    parser.add_argument("--threads", type=int, help="default: what PyTorch takes")
    parser.add_argument("--interactive", action="store_true")
    return parser.parse_args()


def load(args):
    variant = "fp16" if glob.glob(f"{args.model}/unet/*fp16*") else None
    dtype = getattr(torch, args.precision)
    pipe = StableDiffusionPipeline.from_pretrained(args.model, variant=variant, safety_checker=None, torch_dtype=dtype)
    if args.taesd:
        pipe.vae = AutoencoderTiny.from_pretrained(args.taesd, torch_dtype=dtype).eval()
    pipe.to(args.device)
    if args.channels_last:
        pipe.unet.to(memory_format=torch.channels_last)
        pipe.vae.to(memory_format=torch.channels_last)
    if args.compile:
        pipe.unet.forward = torch.compile(pipe.unet.forward)
        pipe.vae.decoder.forward = torch.compile(pipe.vae.decoder.forward)
    pipe.set_progress_bar_config(disable=True)
    if args.openvino:
        import openvino_networks
        args.precision = openvino_networks.replace_networks(pipe, args.openvino)
    return pipe


def settle(device):
    """Waits until a GPU has done what it was given: its calls return before that."""
    if device == "cuda":
        torch.cuda.synchronize()


def timed(function, times, device):
    def call(*args, **kwargs):
        settle(device)
        start = time.perf_counter()
        result = function(*args, **kwargs)
        settle(device)
        times.append((time.perf_counter() - start) * 1000)
        return result
    return call


class Bench:
    def __init__(self, args):
        self.args, self.pipe = args, load(args)
        self.text, self.unet, self.decoder = [], [], []
        device = args.device
        self.pipe.text_encoder.forward = timed(self.pipe.text_encoder.forward, self.text, device)
        self.pipe.unet.forward = timed(self.pipe.unet.forward, self.unet, device)
        self.pipe.vae.decode = timed(self.pipe.vae.decode, self.decoder, device)

    def run(self, prompt=None, steps=None, seed=None, out=None):
        for times in (self.text, self.unet, self.decoder):
            times.clear()
        steps = self.args.steps if steps is None else steps
        generator = torch.Generator("cpu").manual_seed(self.args.seed if seed is None else seed)
        start = time.perf_counter()
        image = self.pipe(self.args.prompt if prompt is None else prompt, num_inference_steps=steps, guidance_scale=0.0,
                          generator=generator).images[0]
        total = (time.perf_counter() - start) * 1000
        # A hook that was not called, or called twice, would make the phases a lie.
        assert (len(self.text), len(self.unet), len(self.decoder)) == (1, steps, 1)
        if out:
            image.save(out)
        return dict(steps=steps, size=list(image.size), text_encoder_ms=round(self.text[0], 2),
                    unet_step_ms=[round(t, 2) for t in self.unet], decoder_ms=round(self.decoder[0], 2), total_ms=round(total, 2))


def settings(args):
    return dict(model=args.model, decoder="taesd" if args.taesd else "vae", precision=args.precision, steps=args.steps,
                channels_last=args.channels_last, compile=args.compile, device=args.device, threads=torch.get_num_threads(), cpu=torch.backends.cpu.get_cpu_capability(),
                versions=dict(torch=torch.__version__, diffusers=diffusers.__version__, transformers=transformers.__version__))


def median(runs):
    middle = {key: round(statistics.median(run[key] for run in runs), 2) for key in ("text_encoder_ms", "decoder_ms", "total_ms")}
    return {**middle, "unet_step_ms": round(statistics.median(t for run in runs for t in run["unet_step_ms"]), 2)}


def main():
    args = parse_arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
    bench = Bench(args)
    for _ in range(args.warm_up):
        bench.run()
    if not args.interactive:
        runs = [bench.run() for _ in range(args.runs)]
        print(json.dumps({**settings(args), "runs": runs, "median": median(runs)}), file=ANSWERS)
        return
    print(json.dumps({"ready": True, **settings(args)}), file=ANSWERS)
    for line in sys.stdin:
        print(json.dumps(bench.run(**json.loads(line.strip() or "{}"))), file=ANSWERS)


if __name__ == "__main__":
    main()
