import { randomBytes } from 'node:crypto';
import {
  DeleteParameterCommand,
  ParameterAlreadyExists,
  ParameterNotFound,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { customResourceHandler } from '../shared/custom-resource.js';
import { parseProperties } from '../shared/resource-properties.js';

/** Standard Webhooks takes 24 to 64. */
const SECRET_BYTES = 32;

const propertiesSchema = z.object({ Name: z.string().regex(/^\/[\w.-]+(\/[\w.-]+)*$/) });

/** A SecureString with what webhooks are signed with. One that is there stays: its receivers know it. */
export const handler = customResourceHandler({
  idOf: (properties) => parseProperties(propertiesSchema, properties).Name,
  async ensure(properties) {
    const { Name } = parseProperties(propertiesSchema, properties);
    const command = new PutParameterCommand({
      Name,
      Type: 'SecureString',
      Value: `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`,
      Description: 'Signs the webhooks (Standard Webhooks)',
      Overwrite: false,
    });
    await new SSMClient({}).send(command).catch(ignore(ParameterAlreadyExists));
  },
  async remove(Name) {
    if (!Name.startsWith('/')) return;
    await new SSMClient({}).send(new DeleteParameterCommand({ Name })).catch(ignore(ParameterNotFound));
  },
});

function ignore(kind: new (...args: never[]) => Error) {
  return (error: unknown): undefined => {
    if (error instanceof kind) return undefined;
    throw error;
  };
}
