import { quoteName } from '../weights/bytes/quote-name.js';

/** Of names that tell nothing by themselves, how many are shown. */
const SHOWN_NAMES = 3;

/** What wrappers put into the names of a network's tensors, and how to save it without. */
const WRAPPERS: readonly (readonly [string, string])[] = [
  ['_orig_mod.', 'torch.compile: save model._orig_mod instead of the compiled model'],
  ['_checkpoint_wrapped_module.', 'activation checkpointing: save the model without it'],
  ['_fsdp_wrapped_module.', 'FSDP: save its full state dict'],
  ['_forward_module.', 'DeepSpeed or Lightning: save the model inside'],
  ['module.', 'DataParallel, DDP or Accelerate: save model.module, or accelerator.unwrap_model(model)'],
  ['base_model.model.', 'PEFT: save model.merge_and_unload()'],
];

/** Names that belong to another kind of file. */
const OTHER_KINDS: readonly (readonly [RegExp, string])[] = [
  [
    /(?:^|\.)(?:diffusion_model\.|first_stage_model\.|cond_stage_model\.|input_blocks\.\d)/,
    'names of the original Stable Diffusion code: convert its one file with StableDiffusionPipeline.from_single_file(FILE).save_pretrained(FOLDER) of diffusers',
  ],
  [
    /(?:^|[._])lora_|\.lora\./,
    'a LoRA, which is an addition to a network: fuse it (pipeline.fuse_lora(), unload_lora_weights()) and save the pipeline',
  ],
  [/\.base_layer\./, 'a network with an adapter in it: fuse and unload the adapter, then save'],
  [/\.(?:weight_packed|qweight|absmax|scales|SCB)$/, 'quantised weights: take those that are not'],
];

/**
 * What is in a file instead of a tensor that is missing from it, and how to save it rightly.
 *
 * @param names of all tensors of the file
 * @returns a clause that follows "is missing"
 */
export function explainMissingTensor(missing: string, names: Iterable<string>): string {
  const all = [...names];
  if (all.length === 0) return ', and there are no others';
  for (const [wrapper, how] of WRAPPERS) {
    const wrapped = all.find(
      (name) => name.includes(wrapper) && endsIn(name.replaceAll(wrapper, ''), missing),
    );
    if (wrapped) return `, but ${quoteName(wrapped)} is there, with "${wrapper}" of ${how}`;
  }
  for (const [pattern, what] of OTHER_KINDS) {
    const other = all.find((name) => pattern.test(name));
    if (other) return `, but ${quoteName(other)} is there: ${what}`;
  }
  const prefixed = all.find((name) => endsIn(name, missing));
  if (prefixed) {
    const prefix = prefixed.slice(0, prefixed.length - missing.length);
    return `, but ${quoteName(prefixed)} is there: save the part ${quoteName(prefix.slice(0, -1))} alone`;
  }
  const shown = all.slice(0, SHOWN_NAMES).map(quoteName).join(', ');
  return `; of ${all.length} there the first are ${shown}`;
}

function endsIn(name: string, missing: string): boolean {
  return name === missing || name.endsWith(`.${missing}`);
}
