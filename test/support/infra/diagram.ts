import { at, type Properties, type Service } from './synth-service.js';

/** Actions that say how something is used, not what for. */
const SILENT =
  /:(List|Describe|GetQueue|ChangeMessage|DeleteMessage|CreateLog|PutLog|CreateNetwork|AbortMultipart)/;
const NAMES: Readonly<Record<string, string>> = {
  'sagemaker:InvokeEndpoint': 'draw',
  'sagemaker:UpdateInferenceComponentRuntimeConfig': 'wake',
};
const CALLER = 'caller';
const DEPLOY = 'deploy';

/** The stack as a Mermaid flowchart: constructs, and what their roles, triggers and references let flow between them. */
export function diagramOf(service: Service): string {
  const edges = new Map<string, Set<string>>();
  const connect = (from: string | undefined, to: string | undefined, label: string) => {
    if (from === undefined || to === undefined || from === to) return;
    const key = `${from} ${to}`;
    edges.set(key, (edges.get(key) ?? new Set()).add(label));
  };
  const node = (value: unknown) => nodesIn(service, value)[0];
  connect(CALLER, node({ Ref: service.id('AWS::ApiGateway::RestApi') }), 'HTTPS');
  for (const [, { Type, Properties }] of Object.entries(service.template.Resources)) {
    if (Type === 'AWS::IAM::Policy') connectPolicy(service, Properties, connect);
    if (Type === 'AWS::ApiGateway::Method')
      connect(
        node({ Ref: service.id('AWS::ApiGateway::RestApi') }),
        node(at(Properties, 'Integration', 'Uri')),
        'requests',
      );
    if (Type === 'AWS::ApiGateway::Authorizer')
      connect(node(Properties['RestApiId']), node(Properties['AuthorizerUri']), 'which key?');
    if (Type === 'AWS::Lambda::EventSourceMapping')
      connect(node(Properties['EventSourceArn']), node(Properties['FunctionName']), 'messages');
    if (Type === 'AWS::SQS::Queue' && 'RedrivePolicy' in Properties)
      connect('Predictions/Queue', node(Properties['RedrivePolicy']), 'given up');
    if (Type.startsWith('Custom::'))
      connect(DEPLOY, node(Properties['ServiceToken']), Type.replace('Custom::', ''));
  }
  return render(
    [...edges].map(([key, labels]) => [...key.split(' '), [...labels].sort().join(', ')]) as Edge[],
  );
}

type Edge = [from: string, to: string, label: string];
type Connect = (from: string | undefined, to: string | undefined, label: string) => void;

function connectPolicy(service: Service, properties: Properties, connect: Connect): void {
  const [from] = nodesIn(service, properties['Roles']);
  for (const { Action, Resource } of at<Properties[]>(properties, 'PolicyDocument', 'Statement')) {
    const actions = [Action]
      .flat()
      .map(String)
      .filter((action) => !SILENT.test(action) && !/^(logs|ecr|ec2):/.test(action));
    for (const to of [Resource].flat().flatMap((resource) => nodesIn(service, resource)))
      for (const action of actions)
        if (action !== 'sqs:ReceiveMessage') connect(from, to, NAMES[action] ?? action.replace(/^.*:/, ''));
  }
}

/** The constructs that a template's value refers to, by their paths in the stack. */
function nodesIn(service: Service, value: unknown): string[] {
  const text = JSON.stringify(value) ?? '';
  if (text.includes(':parameter/')) return ['WebhookSecret'];
  const ids = [...text.matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)].map(([, id]) => id as string);
  return ids.flatMap((id) => {
    const path = service.path(id);
    return path === undefined ? [] : [nodeAt(path.split('/'))];
  });
}

/** Parts of the endpoint are one thing to everybody else; CDK has one function for all calls of its own kind. */
function nodeAt([first = '', second = '']: string[]): string {
  if (first.startsWith('AWS')) return 'ImageScan';
  return second === '' || /^(Endpoint|ImageScan)$/.test(first) ? first : `${first}/${second}`;
}

function render(edges: readonly Edge[]): string {
  const names = [...new Set([...edges.map(([from]) => from), ...edges.map(([, to]) => to)])].sort();
  const id = (name: string) => name.replace('/', '');
  const shape = (name: string) => {
    if (name === CALLER || name === DEPLOY) return `([${name === DEPLOY ? 'cdk deploy' : name}])`;
    return /Queue|DeadLetters$|Objects|Weights|Secret$/.test(name) && !/Worker/.test(name)
      ? `[("${name}")]`
      : `["${name}"]`;
  };
  const lines = [
    ...names.map((name) => `${id(name)}${shape(name)}`),
    ...edges.map(([from, to, label]) => `${id(from)} -- "${label}" --> ${id(to)}`).sort(),
  ];
  return ['flowchart LR', ...lines.map((line) => `  ${line}`)].join('\n');
}
