import type { Decoder } from '../../../lib/schemas/request.js';
import { openapiDocument } from './openapi-document.js';

/** `GET /openapi.json`. */
export function openapiRoute(baseUrl: string, decoder?: Decoder): Response {
  return Response.json(openapiDocument(baseUrl, decoder), { headers: { 'cache-control': 'no-cache' } });
}
