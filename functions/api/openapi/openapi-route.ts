import { openapiDocument } from './openapi-document.js';

/** `GET /openapi.json`. */
export function openapiRoute(baseUrl: string): Response {
  return Response.json(openapiDocument(baseUrl), { headers: { 'cache-control': 'no-cache' } });
}
