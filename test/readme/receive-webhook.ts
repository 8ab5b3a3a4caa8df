import { Webhook } from 'standardwebhooks';

/** Give it the request before any JSON parser has seen it: the signature is over the bytes as they came. */
export async function receiveWebhook(request: Request, secret: string) {
  const headers = Object.fromEntries(request.headers);
  // Throws where the signature is wrong, or older than five minutes.
  const event = new Webhook(secret).verify(await request.text(), headers) as {
    type: 'prediction.succeeded' | 'prediction.failed' | 'prediction.canceled';
    timestamp: string;
    data: { id: string; result?: string; urls?: string[]; error?: { detail: string } };
  };
  return event;
}
