"""Ids of transformers' CLIPTokenizer for the ways in which its files come: python make_variants.py > variants.json

Made with transformers 5.23.0 and tokenizers 0.23.3. The vocabulary is a small one of CLIP's shape: 256 bytes, the
same with </w>, the merges below, BOS, EOS. `ids` are neither cut nor padded, but hold BOS and EOS.
"""
import json, os, random, tempfile
from transformers import CLIPTokenizer
from transformers.utils import logging

logging.set_verbosity_error()
B, E = "<|startoftext|>", "<|endoftext|>"
MERGES = "i n|t h|th e</w>|a n|e r|in g</w>|o x</w>|f ox</w>|d o|do g</w>|! !</w>|? ?</w>|' s</w>|a a|aa aa|e n|d en|en d|o f|of t|e x|ex t</w>|t ext</w>|Ã ©</w>|Ï ĥ|Ï Ĥ</w>"


def bytes_to_unicode():
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return [chr(b) for b in kept] + [chr(256 + n) for n in range(256 - len(kept))]


def added(content, normalized, **more):
    return dict(content=content, lstrip=False, normalized=normalized, rstrip=False, single_word=False, **more)


merges = [tuple(m.split(" ")) for m in MERGES.split("|")]
symbols = bytes_to_unicode()
symbols += [s + "</w>" for s in symbols]
merges = [m for i, m in enumerate(merges) if all(x in symbols or x in {"".join(n) for n in merges[:i]} for x in m)]
vocab = {}
for token in [*symbols, *("".join(m) for m in merges), B, E]:
    vocab.setdefault(token, len(vocab))
bos, eos = str(vocab[B]), str(vocab[E])

objects = {"bos_token": added(B, True), "eos_token": added(E, True), "unk_token": added(E, True), "pad_token": E}
decoder = {"0": added("!", False, special=True), bos: added(B, True, special=True), eos: added(E, True, special=True)}
plain = {"bos_token": B, "eos_token": E, "unk_token": E, "model_max_length": 77}
variants = {
    "no config": (None, None),
    "SD-Turbo": (dict(plain, pad_token="!"), dict(bos_token=B, eos_token=E, unk_token=E, pad_token="!")),
    "SD 1.5, objects and a string": (
        dict({k: dict(v, __type="AddedToken") if isinstance(v, dict) else v for k, v in objects.items()}, model_max_length=77), objects),
    "objects in the map only": (None, objects),
    "the map overrules the config": (dict(plain, pad_token=E), {"pad_token": "!"}),
    "added_tokens_decoder": (dict(plain, pad_token="!", added_tokens_decoder=decoder), None),
    "added_tokens_decoder overrules the map": (dict(plain, pad_token=E, added_tokens_decoder=decoder), {"pad_token": "!"}),
    "a concept": (dict(plain, pad_token="!", added_tokens_decoder=dict(decoder, **{bos: dict(content=B, special=True), str(len(vocab)): dict(content="<Cat-Toy>")})), None),
    "a concept as written": (dict(plain, added_tokens_decoder={str(len(vocab)): added("<Cat-Toy>", False), str(len(vocab) + 1): added("<Cat-Toy>2", False)}), None),
    "no length": (dict(plain, model_max_length=10**30), None),
}
prompts = ["", " ", "!", "wow!!!", "The  DOG\tand\nthe fox", "the dog's", "the dog'S 's's ''s", "aaaaaaaaaaa", "1234", "caf\u00e9 cafe\u0301", "a\u0085b\ufeffc\ufeff?\ufeff",
           "\u039f\u0394\u039f\u03a3 \u03a3\u03bf\u03c6\u03cc\u03c2 \u03a3", "\u0130 \u1e9e \u212b", "\u6771\u4eac \U0001f680\U0001f468\u200d\U0001f469", "??? <|>", "\u00bd\u00b2\u2167",
           f"a{E}b", f"a {E} b {B}!", E, E.upper(), f"! {E.upper()}??", f"?{E.upper()}??", f"x{B.upper()}!{B.title()}", "<|EndOf Text|>", "<|endoftext|", f"{E}{E}{B}",
           "<cat-toy> and <Cat-Toy>2", "a <CAT-TOY>!", "\u0000\u0007 \\ \"", "the dog " * 40, "dogfox" * 30]
r = random.Random(11)
pool = ["the", "dog", "fox", "ing", "end", " ", "  ", "!", "!!", "?", "'s", "'", "\u00e9", "e\u0301", "\u03a3", "7", "<|", "|>", E, B, "<Cat-Toy>", "\u3042", "\U0001f600", "\n", "\u00a0", "-"]
prompts += ["".join(r.choice(pool) for _ in range(r.randint(2, 14))) for _ in range(30)]

out = []
for name, (config, special_map) in variants.items():
    with tempfile.TemporaryDirectory() as d:
        json.dump(vocab, open(os.path.join(d, "vocab.json"), "w"))
        open(os.path.join(d, "merges.txt"), "w", encoding="utf-8").write("#version: 0.2\n" + "\n".join(map(" ".join, merges)) + "\n")
        for file, content in (("tokenizer_config.json", config), ("special_tokens_map.json", special_map)):
            if content is not None:
                json.dump(content, open(os.path.join(d, file), "w"))
        t = CLIPTokenizer.from_pretrained(d)
        cases = [dict(prompt=p, ids=" ".join(map(str, t(p).input_ids))) for p in prompts]
        out.append(dict(name=name, config=config, map=special_map, pad=t.pad_token_id, cases=cases))
        t.save_pretrained(d)
        saved = json.load(open(os.path.join(d, "tokenizer.json")))
        saved_config = json.load(open(os.path.join(d, "tokenizer_config.json")))
        again = CLIPTokenizer.from_pretrained(d)
        assert all(again(p).input_ids == t(p).input_ids for p in prompts), name
        out[-1]["saved"] = dict(addedTokens=saved["added_tokens"], config=saved_config)
print(json.dumps(dict(vocab=vocab, merges=[" ".join(m) for m in merges], variants=out), ensure_ascii=True, indent=1))
