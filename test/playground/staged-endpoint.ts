import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import { toProblem } from '../../functions/shared/problem-response.js';
import {
  type EndpointAnswer,
  EndpointError,
  type EndpointState,
  type InvokeContext,
  type PushedEndpoint,
} from '../../lib/predictions/endpoint.js';
import type { HealthState } from '../../lib/schemas/health.js';
import type { ModelAbout } from '../../lib/schemas/model-about.js';
import type { SeededRequest } from '../../lib/schemas/prediction.js';
import { ROOT } from '../support/reference.js';

/** 512 x 512, as the demo model draws them. */
const PICTURES = ['00-0', '01-0', '02-0', '03-0'].map((name) =>
  readFileSync(join(ROOT, 'test/fixtures/demo', `${name}.png`)),
);

/** Milliseconds, about those of a warm GPU. */
export const TIMINGS = { queue: 0.4, text_encoder: 9.8, unet: 61.2, decoder: 88.1, encode: 12.6 };

/** What an endpoint throws that does not take a field. */
export function refusal(field: string, message: string): EndpointError {
  const problem = { ...toProblem(undefined, 'staged'), status: 400, detail: `${field}: ${message}` };
  return new EndpointError('refused', 'refused', { problem: { ...problem, errors: [{ field, message }] } });
}

/** An endpoint whose states a test sets one after the other, as a play is staged. */
export class StagedEndpoint implements PushedEndpoint {
  condition: HealthState = 'ready';
  detail: string | undefined;
  /** What it tells of its model besides. */
  about: ModelAbout = {};
  /** What it says of its pictures. */
  warnings: string[] = [];
  /** How long it draws. Milliseconds. */
  drawing = 150;
  /** What comes instead of pictures. */
  fault: EndpointError | undefined;
  readonly requests: SeededRequest[] = [];

  async invoke(request: SeededRequest, { signal }: InvokeContext): Promise<EndpointAnswer> {
    if (this.condition !== 'ready') throw new EndpointError('cold', 'asleep');
    if (this.fault) throw this.fault;
    await pause(this.drawing, undefined, { signal });
    const { seed, num_steps, num_images, output_format, decoder } = request;
    const first = this.requests.push(request) - 1;
    const pictures = Array.from({ length: num_images }, (_, index) => {
      const png = PICTURES[(first + index) % PICTURES.length] as Buffer;
      return output_format === 'png' ? png : sharp(png).toFormat(output_format).toBuffer();
    });
    const results = (await Promise.all(pictures)).map((bytes) => bytes.toString('base64'));
    const answer = {
      result: results[0] as string,
      ...(num_images > 1 ? { results } : {}),
      ...{ seed, num_steps, output_format, decoder },
      tokens_cut: Math.max(0, request.prompt.split(/\s+/).length - 75),
      ...(this.warnings.length > 0 && { warnings: this.warnings }),
      model: 'sd-turbo-demo',
    };
    return { answer, timings: TIMINGS };
  }

  async wake(): Promise<void> {
    if (this.condition === 'asleep') this.condition = 'waking';
  }

  async state(): Promise<EndpointState> {
    return {
      state: this.condition,
      ...this.about,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
    };
  }
}
