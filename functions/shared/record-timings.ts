import type { Telemetry } from './telemetry.js';

/** The endpoint's phases that are worth a metric. */
const METRICS: Readonly<Record<string, string>> = {
  queue: 'EndpointQueueMs',
  text_encoder: 'TextEncoderMs',
  encoder: 'EncoderMs',
  unet: 'UnetMs',
  decoder: 'DecoderMs',
  encode: 'EncodeMs',
};

/** @param timings milliseconds by phase */
export function recordTimings(telemetry: Telemetry, timings: Readonly<Record<string, number>>): void {
  for (const [phase, milliseconds] of Object.entries(timings)) {
    const name = METRICS[phase];
    if (name) telemetry.measure(name, 'Milliseconds', milliseconds);
  }
}
