"""Ids of transformers' CLIPTokenizer for other layouts of its files: python make_layouts.py > layouts.json

Made with transformers 5.23.0 and tokenizers 0.23.3, with the vocabulary of variants.json. First layouts by name, then
as many at random (seeded). `ids` are those of each prompt at 77 positions, less the padding at their end; they are
null where transformers cannot read the files, or cannot encode with them. `tokenizer.json` holds its `added_tokens`
and what it has besides the vocabulary; `base` says whether vocab.json and merges.txt lie beside it.
"""
import json, os, random, tempfile
from transformers import CLIPTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
golden = json.load(open(os.path.join(os.path.dirname(__file__), "variants.json")))
vocab, merges = golden["vocab"], golden["merges"]
B, E, N = "<|startoftext|>", "<|endoftext|>", len(vocab)
ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
CONTENTS = [B, E, "!", "<cat>", "<Cat>", "<cat>2", "<x>", "fox", "The", "the</w>", "<pad>", "\u00e9", "e\u0301x", "a b"]
PROMPTS = ["a<|endoftext|>b <|ENDOFTEXT|>", "<cat><Cat><CAT>2<cat>2", "wow!!! <x> <X> <pad><PAD>the</w>", "The fox FOX thefox a B a  b \u00c9 E\u0301x"]
CONFIG, MAP, ADDED, TOKENIZER = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"


def token(content, **more):
    return dict(content=content, **more)


def typed(content, **more):
    return dict(__type="AddedToken", content=content, **more)


def stored(content, id, **more):
    return dict(dict(id=id, content=content, single_word=False, lstrip=False, rstrip=False, normalized=True, special=False), **more)


def tokenizer_json(tokens, **more):
    return {TOKENIZER: dict(added_tokens=tokens, **more)}


padding = dict(strategy="BatchLongest", direction="Right", pad_to_multiple_of=None, pad_id=3, pad_type_id=0, pad_token="!")
truncation = dict(direction="Right", max_length=5, strategy="LongestFirst", stride=0)
named = {
    "added_tokens.json": ({ADDED: {"<Cat>": N}}, True),
    "added_tokens.json out of order": ({ADDED: {"<x>": N + 1, "<Cat>": N}}, True),
    "added_tokens.json with CLIP's own": ({ADDED: {B: vocab[B], E: vocab[E], "<Cat>": N}}, True),
    "added_tokens.json and the same as special": ({ADDED: {"<Cat>": N}, CONFIG: {"additional_special_tokens": ["<Cat>"]}}, True),
    "added_tokens.json beside added_tokens_decoder": ({ADDED: {"<Cat>": N}, CONFIG: {"added_tokens_decoder": {}}}, True),
    "additional_special_tokens of the config": ({CONFIG: {"additional_special_tokens": ["<Cat>", "<x>"]}}, True),
    "additional_special_tokens as objects": ({CONFIG: {"additional_special_tokens": [typed("<Cat>", normalized=True), typed("<x>")]}}, True),
    "additional_special_tokens of the map": ({MAP: {"additional_special_tokens": ["<Cat>", "<x>"]}}, True),
    "additional_special_tokens beside added_tokens_decoder": (
        {CONFIG: {"added_tokens_decoder": {str(N): token("<x>")}, "additional_special_tokens": ["<Cat>"]}}, True),
    "additional_special_tokens of a map that is not read": (
        {CONFIG: {"added_tokens_decoder": {str(N): token("<x>")}}, MAP: {"additional_special_tokens": ["<Cat>"]}}, True),
    "extra_special_tokens as a list": ({CONFIG: {"extra_special_tokens": ["<Cat>"]}}, True),
    "extra_special_tokens as a list of objects in the map": ({MAP: {"extra_special_tokens": [token("<Cat>")]}}, True),
    "extra_special_tokens under names": ({CONFIG: {"extra_special_tokens": {"cat_token": "<Cat>"}}}, True),
    "extra_special_tokens in both files": ({CONFIG: {"extra_special_tokens": ["<x>"]}, MAP: {"extra_special_tokens": ["<Cat>", "<x>"]}}, True),
    "a token under a name of its own": ({CONFIG: {"image_token": "<Cat>", "mask_token": "<x>"}}, True),
    "a padding token that is new": ({CONFIG: {"pad_token": "<pad>", "extra_special_tokens": ["<Cat>"]}}, True),
    "another beginning": ({MAP: {"bos_token": "<x>"}}, True),
    "an end without a word on how it is sought": ({CONFIG: {"eos_token": typed(E), "unk_token": typed(E), "pad_token": typed(E)}}, True),
    "only the unknown token as written": ({MAP: {"unk_token": token(E, normalized=True)}}, True),
    "tokenizer.json alone": (tokenizer_json([]), False),
    "tokenizer.json alone, with a concept": (tokenizer_json([stored("<Cat>", N)]), False),
    "tokenizer.json with another normalizer": (
        tokenizer_json([], normalizer=None, pre_tokenizer=dict(type="Whitespace"), post_processor=None), False),
    "tokenizer.json that pads and cuts": (tokenizer_json([], padding=padding, truncation=truncation), False),
    "tokenizer.json without a model type, as old ones": (tokenizer_json([], old=True), False),
    "tokenizer.json beside vocab.json": (tokenizer_json([stored("<Cat>", N, normalized=False)]), True),
    "tokenizer.json with another vocabulary": (tokenizer_json([], swap=["the</w>", "fox</w>"]), True),
    "tokenizer.json and added_tokens.json": ({**tokenizer_json([stored("<Cat>", N)]), ADDED: {"<x>": N + 1}}, True),
    "tokenizer.json and the map": ({**tokenizer_json([stored("<Cat>", N)]), MAP: {"pad_token": "!", "mask_token": token("<x>")}}, False),
    "tokenizer.json beside added_tokens_decoder": (
        {**tokenizer_json([stored("<Cat>", N)]), CONFIG: {"added_tokens_decoder": {str(N): token("<x>")}}}, False),
    "what CLIP has no ear for": (
        {CONFIG: {"add_bos_token": False, "add_eos_token": False, "do_lower_case": False, "add_prefix_space": True, "tokenizer_class": "T5Tokenizer", "max_len": 77, "clean_up_tokenization_spaces": True}}, True),
}


def write(folder, files, base):
    contents = {"vocab.json": vocab, "merges.txt": "#version: 0.2\n" + "\n".join(merges) + "\n"} if base else {}
    contents.update(files)
    if TOKENIZER in files:
        more = dict(files[TOKENIZER])
        tokens, old, (a, b) = more.pop("added_tokens"), more.pop("old", False), more.pop("swap", [B, B])
        model = dict(type="BPE", unk_token=E, end_of_word_suffix="</w>", vocab={**vocab, a: vocab[b], b: vocab[a]}, merges=merges)
        if old:
            model.pop("type")
        contents[TOKENIZER] = dict(version="1.0", added_tokens=tokens, model=model, **more)
    for name, content in contents.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))


def layout(name, files, base):
    with tempfile.TemporaryDirectory() as folder:
        write(folder, files, base)
        try:
            t = CLIPTokenizer.from_pretrained(folder)
            pad, ids = t.pad_token_id, []
            for prompt in PROMPTS:
                encoded = t(prompt, padding="max_length", max_length=77, truncation=True).input_ids
                while encoded and encoded[-1] == pad:
                    encoded.pop()
                ids.append(" ".join(map(str, encoded)))
        except Exception:
            pad, ids = None, None
        return dict(name=name, files=files, base=base, pad=pad, ids=ids)


r = random.Random(13)


def any_token(in_map):
    content = r.choice(CONTENTS)
    if r.random() < 0.5:
        return content
    made = (token if in_map else typed)(content)
    if r.random() < 0.5:
        made["normalized"] = r.random() < 0.5
    if r.random() < 0.3:
        made["special"] = r.random() < 0.5
    return made


def any_ids():
    chosen, following, ids = r.sample(CONTENTS, r.randint(0, 4)), N, {}
    for content in chosen:
        ids[content] = vocab.get(content, following)
        following += content not in vocab
    if ids and r.random() < 0.1:
        ids[r.choice(list(ids))] += r.randint(0, 2)
    return dict(r.sample(list(ids.items()), len(ids)))


def any_settings(in_map):
    made = {role: any_token(in_map) for role in ROLES if r.random() < 0.25}
    texts = lambda: [r.choice(CONTENTS) for _ in range(r.randint(0, 3))]
    if r.random() < 0.3:
        made["additional_special_tokens"] = texts() + [typed(r.choice(CONTENTS))] * r.randint(0, 1)
    if r.random() < 0.25:
        made["extra_special_tokens"] = texts() if r.random() < 0.6 else dict(zip(["cat_token", "zz"], CONTENTS[3:5]))
    if r.random() < 0.2:
        made["image_token"] = any_token(in_map)
    for key, values, chance in (("padding_side", ["left", "right"], 0.03), ("split_special_tokens", [True, False], 0.03)):
        if r.random() < chance:
            made[key] = r.choice(values)
    return dict(r.sample(list(made.items()), len(made)))


def any_layout():
    files, base = {}, True
    if r.random() < 0.7:
        files[CONFIG] = any_settings(False)
        if r.random() < 0.35:
            files[CONFIG]["added_tokens_decoder"] = {str(id): token(c, special=r.random() < 0.5) for c, id in any_ids().items()}
    if r.random() < 0.5:
        files[MAP] = any_settings(True)
    if r.random() < 0.4:
        files[ADDED] = any_ids()
    if r.random() < 0.35:
        files.update(tokenizer_json([stored(c, id, normalized=r.random() < 0.5) for c, id in any_ids().items()]))
        base = r.random() < 0.5
    return files, base


layouts = [layout(name, *rest) for name, rest in named.items()]
assert all(l["ids"] for l in layouts), [l["name"] for l in layouts if not l["ids"]]
layouts += [layout("", *any_layout()) for _ in range(250)]
print(json.dumps(dict(prompts=PROMPTS, layouts=layouts), separators=(",", ":")).replace('{"name"', '\n{"name"'))
