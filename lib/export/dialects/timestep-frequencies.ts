/**
 * The angular frequencies of the sinusoidal timestep embedding, exp(-ln(10000) i / (channels / 2 - shift)),
 * rounded to float32 after each operation as torch does.
 * Source: diffusers 0.42, get_timestep_embedding in models/embeddings.py.
 */
export function timestepFrequencies(channels: number, shift: number): number[] {
  const half = Math.floor(channels / 2);
  const logPeriod = Math.fround(-Math.log(10000));
  return Array.from({ length: half }, (_, index) => {
    const exponent = Math.fround(Math.fround(logPeriod * index) / Math.fround(half - shift));
    return Math.fround(Math.exp(exponent));
  });
}
