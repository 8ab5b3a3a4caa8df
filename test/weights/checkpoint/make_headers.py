"""What the reference reader says of safetensors headers: python make_headers.py > headers.json

Made with safetensors 0.8.0. `tensors` is null where the file is refused.
"""
import json, os, struct, tempfile
from safetensors import safe_open


def entry(dtype, shape, offsets):
    return '{"a":{"dtype":"%s","shape":%s,"data_offsets":%s}}' % (dtype, shape, offsets)


one = entry("U8", "[1]", "[0,1]")
cases = {
    "plain": (one, 1),
    "metadata null": ('{"__metadata__":null,' + one[1:], 1),
    "metadata empty": ('{"__metadata__":{},' + one[1:], 1),
    "metadata list": ('{"__metadata__":[]}', 0),
    "metadata of numbers": ('{"__metadata__":{"a":1}}', 0),
    "metadata of nulls": ('{"__metadata__":{"a":null}}', 0),
    "metadata of objects": ('{"__metadata__":{"a":{}}}', 0),
    "metadata twice": ('{"__metadata__":{},"__metadata__":{}}', 0),
    "name twice in the metadata": ('{"__metadata__":{"a":"1","a":"2"}}', 0),
    "further keys": ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":{"y":[1.5,null]}}}', 1),
    "tensor twice": ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    "dtype twice": ('{"a":{"dtype":"F16","dtype":"BF16","shape":[1],"data_offsets":[0,2]}}', 2),
    "space before": (" \t\n\r" + one, 1),
    "space after": (one + " \t\n\r", 1),
    "space within": (one.replace(",", " ,\n"), 1),
    "NUL after": (one + "\0", 1),
    "byte order mark": ("\ufeff" + one, 1),
    "small letters": (entry("u8", "[1]", "[0,1]"), 1),
    "no elements": (entry("U8", "[0]", "[0,0]"), 0),
    "scalar": (entry("F32", "[]", "[0,4]"), 4),
    "minus zero": (entry("U8", "[-0]", "[0,0]"), 0),
    "half a byte": (entry("F4", "[3]", "[0,2]"), 2),
    "half bytes": (entry("F4", "[2,3]", "[0,3]"), 3),
    "three quarters of a byte": (entry("F6_E2M3", "[4]", "[0,3]"), 3),
    "overflow": (entry("U8", "[4294967296,4294967296,0]", "[0,0]"), 0),
    "other order": ('{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 2),
    "hole": ('{"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 3),
    "overlap": ('{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2),
    "nothing at another's middle": ('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}', 2),
    "bytes left": (one, 2),
    "bytes missing": (entry("U8", "[2]", "[0,2]"), 1),
    "33 dimensions": (entry("U8", json.dumps([1] * 33), "[0,1]"), 1),
    "shape null": (entry("U8", "null", "[0,1]"), 1),
    "no shape": ('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1),
    "entry as a list": ('{"a":["U8",[1],[0,1]]}', 1),
    "three offsets": (entry("U8", "[1]", "[0,1,1]"), 1),
    "no tensors": ("{}", 0),
    "no name": (one.replace('"a"', '""'), 1),
    "NUL as name": (one.replace('"a"', '"\\u0000"'), 1),
    "half a character as name": (one.replace('"a"', '"\\ud800"'), 1),
    "list": ("[]", 0),
    "null": ("null", 0),
    "nothing": ("", 0),
    "two documents": (one + "{}", 1),
    **{
        dtype: (entry(dtype, "[8]", "[0,%d]" % bits), bits)
        for dtype, bits in dict(
            BOOL=8, F4=4, F6_E2M3=6, F6_E3M2=6, U8=8, I8=8, F8_E5M2=8, F8_E4M3=8, F8_E8M0=8, F8_E4M3FNUZ=8, F8_E5M2FNUZ=8, F8=8,
            I16=16, U16=16, F16=16, BF16=16, I32=32, U32=32, F32=32, C64=64, F64=64, I64=64, U64=64, C128=128, F128=128, I4=4, U4=4,
        ).items()
    },
}

out = []
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "x.safetensors")
    for name, (text, data) in cases.items():
        with open(path, "wb") as file:
            file.write(struct.pack("<Q", len(text.encode())) + text.encode() + bytes(data))
        try:
            with safe_open(path, "np") as file:
                slices = {key: file.get_slice(key) for key in file.keys()}
                tensors = {key: [s.get_dtype(), s.get_shape()] for key, s in slices.items()}
        except Exception:
            tensors = None
        out.append(dict(name=name, text=text, data=data, tensors=tensors))
print(json.dumps(out, indent=1))
