// AWS's runtime in small: imports a function, and hands it the events that its parent sends, any number at once.

import { pathToFileURL } from 'node:url';

const context = { functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'], awsRequestId: 'test' };
const { handler } = await import(pathToFileURL(String(process.argv[2])).href);

process.on('message', async (/** @type {{ id: number, event: unknown }} */ { id, event }) => {
  try {
    process.send?.({ id, result: await handler(event, context) });
  } catch (error) {
    // AWS's runtime logs it, too.
    console.error(error);
    process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.send?.('imported');
