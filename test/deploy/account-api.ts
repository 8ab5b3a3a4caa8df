import { EC2Client, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { createS3Client } from '../../lib/weights/sources/s3/create-s3-client.js';
import type { Emulator } from './emulator.js';

/** Of the account's owner, whose signatures the emulator does not look at. */
const OWNER =
  'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=0';

const CONFIG = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

/** What the account's owner does beside deploying: the AWS CLI of the tour. */
export class AccountApi {
  readonly s3: S3Client;
  readonly #url: string;

  constructor({ environment }: Emulator) {
    this.#url = environment['AWS_ENDPOINT_URL'] as string;
    this.s3 = createS3Client({ endpoint: this.#url, ...CONFIG });
  }

  /** `aws apigateway get-api-key --include-value`, as the deploy prints it. */
  async apiKey(id: string): Promise<string> {
    return (await this.#gateway<{ value: string }>(`/apikeys/${id}?includeValue=true`)).value;
  }

  /** A second key of the usage plan that has the first. */
  async addKey(name: string, besides: string): Promise<string> {
    const value = `${name}-of-another-caller`;
    const { id } = await this.#gateway<{ id: string }>('/apikeys', { name, value, enabled: true });
    const plans = await this.#gateway<{ item: { id: string }[] }>(`/usageplans?keyId=${besides}`);
    const plan = plans.item[0]?.id;
    await this.#gateway(`/usageplans/${plan}/keys`, { keyId: id, keyType: 'API_KEY' });
    return value;
  }

  async removeKey(name: string): Promise<void> {
    const { item } = await this.#gateway<{ item: { id: string; name: string }[] }>('/apikeys');
    for (const key of item.filter((one) => one.name === name))
      await this.#gateway(`/apikeys/${key.id}`, undefined, 'DELETE');
  }

  async secret(name: string): Promise<string> {
    const client = new SSMClient({ endpoint: this.#url, ...CONFIG });
    const { Parameter } = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    client.destroy();
    return Parameter?.Value as string;
  }

  async terminate(instance: string): Promise<void> {
    const client = new EC2Client({ endpoint: this.#url, ...CONFIG });
    await client.send(new TerminateInstancesCommand({ InstanceIds: [instance] }));
    client.destroy();
  }

  async keys(bucket: string): Promise<string[]> {
    const { Contents = [] } = await this.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key as string);
  }

  async #gateway<T>(path: string, body?: object, method = body ? 'POST' : 'GET'): Promise<T> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { authorization: OWNER, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
}
