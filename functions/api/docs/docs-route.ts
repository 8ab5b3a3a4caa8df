import type { Decoder } from '../../../lib/schemas/request.js';
import { openapiDocument } from '../openapi/openapi-document.js';
import { pageResponse } from '../page-response.js';
import { docsPage } from './docs-page.js';

/** `GET /docs`: the reference for people. */
export async function docsRoute(baseUrl: string, request: Request, decoder?: Decoder): Promise<Response> {
  return pageResponse(await docsPage(openapiDocument(baseUrl, decoder)), request);
}
