"""OpenVINO in the place of a diffusers pipeline's networks, converted from the loaded checkpoint. Needs: pip install openvino"""
import numpy
import openvino
import torch

# float32 as told; the default is bfloat16 where the processor multiplies it (AMX, AVX512_BF16), else float32.
PRECISIONS = {"float32": {"INFERENCE_PRECISION_HINT": "f32"}, "default": {}}
TEXT_LENGTH = 77


class FirstOutput(torch.nn.Module):
    """A graph with one output, whatever dataclass the model would answer with."""

    def __init__(self, function, owner):
        super().__init__()
        self.owner, self.function = owner, function

    def forward(self, *inputs):
        return self.function(*inputs, return_dict=False)[0]


def compiled(core, function, owner, inputs, precision):
    with torch.no_grad():
        model = openvino.convert_model(FirstOutput(function, owner), example_input=inputs, input=[tuple(x.shape) for x in inputs])
    # One picture at a time, on all cores.
    network = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY", **PRECISIONS[precision]})

    def run(*values):
        feeds = [numpy.asarray(value) for value in values]
        return (torch.from_numpy(network(feeds)[0].copy()),)
    return run, network.get_property("INFERENCE_PRECISION_HINT").get_type_name()


def replace_networks(pipe, precision):
    """Returns the precision that was taken."""
    core = openvino.Core()
    ids = torch.zeros(1, TEXT_LENGTH, dtype=torch.int64)
    latents = torch.zeros(1, pipe.unet.config.in_channels, pipe.unet.config.sample_size, pipe.unet.config.sample_size)
    states = torch.zeros(1, TEXT_LENGTH, pipe.unet.config.cross_attention_dim)

    text, _ = compiled(core, pipe.text_encoder.forward, pipe.text_encoder, (ids,), precision)
    unet, taken = compiled(core, pipe.unet.forward, pipe.unet, (latents, torch.zeros(1), states), precision)
    decode, _ = compiled(core, pipe.vae.decode, pipe.vae, (latents,), precision)
    pipe.text_encoder.forward = lambda input_ids, **_: text(input_ids)
    pipe.unet.forward = lambda sample, timestep, encoder_hidden_states, **_: unet(
        sample, timestep.reshape(1).float(), encoder_hidden_states)
    pipe.vae.decode = lambda latents, **_: decode(latents)
    return taken
