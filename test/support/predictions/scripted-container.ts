import { serverTiming } from '../../../functions/shared/server-timing.js';
import { drawRequestSchema } from '../../../lib/schemas/request.js';
import { ScriptedEndpoint } from './scripted-endpoint.js';

/** Answers as the container's server does, with small noise for pictures: where many are drawn. */
export async function scriptedContainer(request: Request): Promise<Response> {
  const wanted = drawRequestSchema.required({ seed: true }).parse(await request.json());
  const signal = AbortSignal.timeout(60_000);
  const { answer } = await new ScriptedEndpoint().invoke(wanted, { requestId: 'scripted', signal });
  const timings = serverTiming({ queue: 0, load: 0, text_encoder: 1, unet: 1, decoder: 1, encode: 1 });
  return Response.json(answer, { headers: { 'x-amzn-sagemaker-custom-attributes': timings } });
}
