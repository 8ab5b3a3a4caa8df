import { setTimeout as wait } from 'node:timers/promises';
import {
  APIGatewayClient,
  BadRequestException,
  GetAccountCommand,
  UpdateAccountCommand,
} from '@aws-sdk/client-api-gateway';
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  EntityAlreadyExistsException,
  GetRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import * as z from 'zod';
import { log } from '../shared/log.js';

/** A role is known everywhere some seconds after it was made; until then the gateway says that it may do nothing. */
const PAUSE_MS = 3_000;

export const propertiesSchema = z.object({
  RoleName: z.string().regex(/^[\w+=,.@-]{1,64}$/),
  /** AWS's own for this purpose. */
  PolicyArn: z.string().startsWith('arn:'),
});

/**
 * Gives the account's region a role for the logs of its APIs, unless it has one. The role is made only where it is needed.
 *
 * @param milliseconds how long the gateway may take to believe in a role that is new
 */
export async function ensureLogRole(
  { RoleName, PolicyArn }: z.output<typeof propertiesSchema>,
  milliseconds: number,
): Promise<void> {
  const gateway = new APIGatewayClient({});
  const { cloudwatchRoleArn } = await gateway.send(new GetAccountCommand({}));
  if (cloudwatchRoleArn) {
    log('info', 'the account has a role for the logs of its APIs: it stays', { role: cloudwatchRoleArn });
    return;
  }
  const value = await makeRole(RoleName, PolicyArn);
  const patchOperations = [{ op: 'replace' as const, path: '/cloudwatchRoleArn', value }];
  for (const ends = Date.now() + milliseconds; ; await wait(PAUSE_MS)) {
    try {
      await gateway.send(new UpdateAccountCommand({ patchOperations }));
      break;
    } catch (error) {
      if (!(error instanceof BadRequestException) || Date.now() + PAUSE_MS > ends) throw error;
    }
  }
  log('info', 'the account has got a role for the logs of its APIs', { role: value });
}

/** Of another region's deploy, or of an earlier one, it is there already. */
async function makeRole(RoleName: string, PolicyArn: string): Promise<string> {
  const iam = new IAMClient({});
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: 'apigateway.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ],
  });
  const Description = 'API Gateway writes the logs of all APIs of this account with it (made by sd-turbo)';
  const made = await iam
    .send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, Description }))
    .catch((error: unknown) => {
      if (!(error instanceof EntityAlreadyExistsException)) throw error;
      return iam.send(new GetRoleCommand({ RoleName }));
    });
  await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  return made.Role?.Arn as string;
}
