import { GetParameterCommand, ParameterNotFound, type SSMClient } from '@aws-sdk/client-ssm';
import { AppError } from '../../../lib/errors/app-error.js';
import { webhookKey } from '../webhooks/sign-webhook.js';

/** The client itself waits without end. Milliseconds. */
const READ_MS = 5_000;

export interface WebhookSecretProps {
  readonly client: SSMClient;
  /** Name of a SecureString whose value is `whsec_` and base64. */
  readonly parameter: string;
}

/**
 * A function that reads the secret at its first call and keeps it; what failed is tried anew at the next call.
 *
 * It throws AppError: NOT_FOUND without the parameter, INVALID_INPUT where its value is no secret, UNAVAILABLE else.
 */
export function webhookSecret(props: WebhookSecretProps): () => Promise<string> {
  let secret: Promise<string> | undefined;
  return () => {
    secret ??= readSecret(props).catch((error) => {
      secret = undefined;
      throw error;
    });
    return secret;
  };
}

async function readSecret({ client, parameter }: WebhookSecretProps): Promise<string> {
  const value = await readParameter(client, parameter);
  // A wrong value is not kept: it may be mended while this process lives.
  webhookKey(value);
  return value;
}

async function readParameter(client: SSMClient, parameter: string): Promise<string> {
  const command = new GetParameterCommand({ Name: parameter, WithDecryption: true });
  try {
    const { Parameter } = await client.send(command, { abortSignal: AbortSignal.timeout(READ_MS) });
    return Parameter?.Value ?? '';
  } catch (cause) {
    if (cause instanceof ParameterNotFound) {
      throw new AppError('NOT_FOUND', `there is no SSM parameter ${parameter}`, { cause });
    }
    throw new AppError('UNAVAILABLE', `the SSM parameter ${parameter} could not be read`, { cause });
  }
}
