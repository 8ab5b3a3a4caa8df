import type { EulerConfig } from './read-euler-config.js';

const round = Math.fround;

/** The least positive float16: diffusers' stand-in for an alpha product of 0, whose sigma would be infinite. */
const LEAST_ALPHA_PRODUCT = 2 ** -24;

/** The cap on each beta of squaredcos_cap_v2. */
const MAX_COSINE_BETA = 0.999;

/**
 * The noise level of every training timestep, sqrt((1 - a) / a) for the running product a of 1 - beta:
 * num_train_timesteps float32 numbers, rounded where torch rounds (running products in float64).
 */
export function trainingSigmas(config: EulerConfig): Float32Array {
  let betas = trainingBetas(config);
  if (config.rescale_betas_zero_snr) betas = rescaleToZeroSnr(betas);
  const products = alphaProducts(betas);
  if (config.rescale_betas_zero_snr) products[products.length - 1] = LEAST_ALPHA_PRODUCT;
  return products.map((product) => Math.sqrt(round(round(1 - product) / product)));
}

function trainingBetas(config: EulerConfig): Float32Array {
  const { num_train_timesteps: count, beta_start, beta_end } = config;
  if (config.trained_betas !== null) return Float32Array.from(config.trained_betas);
  switch (config.beta_schedule) {
    case 'linear':
      return torchLinspace(beta_start, beta_end, count);
    case 'scaled_linear':
      return torchLinspace(Math.sqrt(beta_start), Math.sqrt(beta_end), count).map((root) => root * root);
    case 'squaredcos_cap_v2':
      return cosineBetas(count);
  }
}

/** torch.linspace in float32: counted from both ends, each value one fused multiply-add. */
function torchLinspace(start: number, end: number, count: number): Float32Array {
  const first = round(start);
  const last = round(end);
  const step = round(round(last - first) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? first + step * i : last - step * (count - 1 - i),
  );
}

/** diffusers' betas_for_alpha_bar. */
function cosineBetas(count: number): Float32Array {
  const alphaBar = (time: number) => Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
  return Float32Array.from({ length: count }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), MAX_COSINE_BETA),
  );
}

function alphaProducts(betas: Float32Array): Float32Array {
  let product = 1;
  return betas.map((beta) => {
    product *= round(1 - beta);
    return product;
  });
}

/** diffusers' rescale_zero_terminal_snr ("Common Diffusion Noise Schedules", algorithm 1). */
function rescaleToZeroSnr(betas: Float32Array): Float32Array {
  const roots = alphaProducts(betas).map(Math.sqrt);
  const first = roots[0] as number;
  const last = roots[roots.length - 1] as number;
  const scale = round(first / round(first - last));
  const products = roots.map((root) => {
    const rescaled = round(round(root - last) * scale);
    return rescaled * rescaled;
  });
  return products.map((product, i) => 1 - (i === 0 ? product : round(product / (products[i - 1] as number))));
}
