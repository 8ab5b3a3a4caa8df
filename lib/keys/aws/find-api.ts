import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { AppError } from '../../errors/app-error.js';
import { asked } from './asked.js';

/**
 * The id of the REST API in a stack, whatever it is called there.
 *
 * @throws AppError NOT_FOUND
 */
export async function findApi(client: CloudFormationClient, stackName: string): Promise<string> {
  const ids = await asked('cloudformation:ListStackResources', async () => {
    const found: string[] = [];
    for await (const page of paginateListStackResources({ client }, { StackName: stackName }))
      for (const { ResourceType, PhysicalResourceId: id } of page.StackResourceSummaries ?? [])
        if (ResourceType === 'AWS::ApiGateway::RestApi' && id !== undefined) found.push(id);
    return found;
  }).catch((error) => {
    if (/does not exist/.test(error.message))
      throw new AppError(
        'NOT_FOUND',
        `there is no stack ${stackName} in this region: see --stack-name, --region`,
      );
    throw error;
  });
  const [id, ...others] = ids;
  if (id !== undefined && others.length === 0) return id;
  const what = id === undefined ? 'no REST API' : `${ids.length} REST APIs`;
  throw new AppError('NOT_FOUND', `the stack ${stackName} has ${what}: is it one of this service?`);
}
