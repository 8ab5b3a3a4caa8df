import { createHash } from 'node:crypto';
import { Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** As an option takes it: a component of SageMaker and a parameter of Systems Manager are called so. Characters. */
const LONGEST = 40;
const HASH = 8;
/** CDK's own id of what stands for its parent. */
const DEFAULT = 'Default';

/**
 * A name that no other construct in the account's region has, and the same at each synthesis: the stack's own for what is
 * all of it (`Default`), else with a hash of the way from there. A nested stack knows its name at the deploy alone, so the
 * outermost one counts.
 */
export function serviceName(scope: Construct): string {
  const { scopes } = scope.node;
  const [stack, ...inner] = scopes.slice(scopes.findIndex(Stack.isStack)) as [Stack, ...Construct[]];
  const path = [
    Token.isUnresolved(stack.stackName) ? stack.node.id : stack.stackName,
    ...inner.map(({ node }) => node.id).filter((id) => id !== DEFAULT),
  ];
  const whole = clean(path.join('-'));
  if (path.length === 1 && whole.length <= LONGEST && whole === path[0]) return whole;
  const hash = createHash('sha256').update(JSON.stringify(path)).digest('hex').slice(0, HASH);
  return `${clean(whole.slice(0, LONGEST - HASH - 1))}-${hash}`;
}

/** Letters, digits and single dashes, beginning with a letter, and with none of the words that AWS keeps for itself. */
function clean(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^[^A-Za-z]+|-$/g, '')
    .replace(/^(aws|ssm)/i, 'x$1');
  return name || 'x';
}
