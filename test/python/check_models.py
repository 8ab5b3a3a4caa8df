"""Checks ONNX models given as paths; prints one line for each and ends with 1 when one is wrong.

onnx.checker with full shape inference on every model. It does not know the operators of com.microsoft, which it leaves
out; so where all operators are ONNX's own, every value must also have a type and a shape, and the outputs the ones
that the graph promises.

    python check_models.py MODEL...
"""

import sys

import onnx
from onnx import shape_inference


def shape_of(value):
    tensor = value.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    return tensor.elem_type, dims


def check_inference(model):
    """Shapes of a copy that does not say what its outputs are."""
    promised = {output.name: shape_of(output) for output in model.graph.output}
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    known = {value.name: value for value in [*inferred.graph.value_info, *inferred.graph.output]}
    for node in inferred.graph.node:
        for name in node.output:
            if name and (name not in known or not known[name].type.tensor_type.HasField("shape")):
                raise ValueError(f"{node.op_type} {node.name}: no shape for {name}")
    for name, (element, dims) in promised.items():
        got_element, got = shape_of(known[name])
        # Without a number in both it is the batch, which only the run knows.
        fits = len(got) == len(dims) and all(a == b or a is None or b is None for a, b in zip(got, dims))
        if got_element != element or not fits or got[1:].count(None) > 0:
            raise ValueError(f"{name} is {got_element} {got}, the graph says {element} {dims}")


def check(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path, load_external_data=False)
    own = {node.op_type for node in model.graph.node if node.domain == "com.microsoft"}
    if not own:
        check_inference(model)
    kinds = f"without {', '.join(sorted(own))}" if own else "with every shape"
    print(f"{path}: {len(model.graph.node)} nodes, {kinds}")


failed = False
for path in sys.argv[1:]:
    try:
        check(path)
    except Exception as error:  # noqa: BLE001
        print(f"{path}: {error}")
        failed = True
sys.exit(failed)
