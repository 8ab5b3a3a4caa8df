/** One thing that somebody may get wrong. */
export interface Break {
  readonly name: string;
  readonly file: string;
  /** Stands once in the file. */
  readonly from: string;
  readonly to: string;
  /** What a line of the tour's failure must say. */
  readonly says: RegExp;
  /** @default deploy */
  readonly tour?: 'deploy' | 'ec2';
}

export const BREAKS: readonly Break[] = [
  {
    name: 'a wrong property name, SageMaker',
    file: 'infra/backends/sagemaker/endpoint.ts',
    from: '    component.node.addDependency(role);',
    to: "    component.node.addDependency(role);\n    component.addPropertyOverride('Specification.DataCacheConfig.EnableCache', true);",
    says: /Specification\.DataCacheConfig\.EnableCache: /,
  },
  {
    name: 'a wrong property name, Lambda',
    file: 'infra/basics/node-function.ts',
    from: "      environment: { NODE_OPTIONS: '--enable-source-maps', ...environment },\n    });",
    to: "      environment: { NODE_OPTIONS: '--enable-source-maps', ...environment },\n    });\n    (this.function.node.defaultChild as never as { addPropertyOverride: Function }).addPropertyOverride('Timout', 3);",
    says: /Timout/,
  },
  {
    name: 'a missing permission of the API',
    file: 'infra/predictions/results.ts',
    from: "actions: ['s3:GetObject', 's3:PutObject']",
    to: "actions: ['s3:GetObject']",
    says: /refused: .*s3:PutObject/,
  },
  {
    name: 'a missing permission of the container',
    file: 'infra/backends/sagemaker/endpoint.ts',
    from: '    model.grantRead(role);\n',
    to: '',
    says: /EndpointComponent.*(s3|Access|denied|403)/i,
  },
  {
    name: 'a missing permission of the webhooks',
    file: 'infra/predictions/webhook-secret.ts',
    from: "return this.#grant(grantee, 'ssm:GetParameter');",
    to: "return this.#grant(grantee, 'ssm:GetParameterHistory');",
    says: /refused: .*ssm:GetParameter /,
  },
  {
    name: 'a dependency too few: the model before its weights',
    file: 'infra/backends/sagemaker/endpoint.ts',
    from: 'version.node.addDependency(role, model.ready);',
    to: 'version.node.addDependency(role);',
    says: /EndpointComponent.*The container did not pass/,
  },
  {
    name: 'a dependency too few: the scaling before what it scales',
    file: 'infra/backends/sagemaker/endpoint-scaling.ts',
    from: '    this.#target.node.addDependency(component);\n',
    to: '',
    says: /ScalingTarget.*is no inference component that exists/,
  },
  {
    name: 'a handler that throws when it is loaded',
    file: 'functions/worker/lambda.ts',
    from: 'const config = readFunctionConfig();',
    to: "const config = readFunctionConfig();\nif (config.queueUrl) throw new Error('broken on purpose');",
    says: /broken on purpose/,
  },
  {
    name: 'a custom resource that never answers',
    file: 'functions/shared/custom-resource.ts',
    from: '  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;\n',
    to: '  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;\n  if (RequestId) return;\n',
    says: /ended without an answer to CloudFormation/,
  },
  {
    name: 'a wrong name of a variable',
    file: 'infra/predictions/results.ts',
    from: '      RESULTS_BUCKET: this',
    to: '      RESULT_BUCKET: this',
    says: /RESULTS_BUCKET/,
  },
  {
    name: 'a wrong name of a variable that has a default',
    file: 'infra/predictions/results.ts',
    from: '      RETENTION_DAYS: String',
    to: '      RETENTION: String',
    says: /kept for 2 days/,
  },
  {
    name: 'a queue that shows its messages again too soon',
    file: 'infra/predictions/prediction-queue.ts',
    from: 'Duration.seconds(150)',
    to: 'Duration.seconds(30)',
    says: /Queue visibility timeout.*less than Function timeout/,
  },
  {
    name: 'a route that leads to another function',
    file: 'infra/api/api.ts',
    from: 'new LambdaIntegration(this.handler.function, {',
    to: 'new LambdaIntegration(reader.function, {',
    says: /expected 50\d to be 200/,
  },
  {
    name: 'a wrong resource id of the scaling',
    file: 'infra/backends/sagemaker/endpoint-scaling.ts',
    from: 'resourceId: `inference-component/',
    to: 'resourceId: `inference-component/x-',
    says: /ResourceId inference-component\/x-sd-turbo is no inference component/,
  },
  {
    name: 'no binary media types',
    file: 'infra/api/api.ts',
    from: '      binaryMediaTypes: BINARY_MEDIA_TYPES,\n',
    to: '',
    says: /Input buffer|expected/,
  },
  {
    name: 'an alarm that does not put to sleep',
    file: 'infra/backends/sagemaker/endpoint-scaling.ts',
    from: "this.#exactly('Sleep', 0, SLEEP_COOLDOWN)",
    to: "this.#exactly('Sleep', 1, SLEEP_COOLDOWN)",
    says: /after IdleAlarm there are 1 copies/,
  },
  {
    name: 'a missing permission of an instance',
    file: 'infra/backends/ec2/worker-role.ts',
    from: '    model.grantRead(this.role);\n',
    to: '',
    says: /FAILURE signal with UniqueId self_test: cannot read manifest.json: AccessDenied/,
    tour: 'ec2',
  },
  {
    name: 'a function that hears of the wrong state',
    file: 'infra/backends/ec2/stopped.ts',
    from: "state: ['stopped']",
    to: "state: ['terminated']",
    says: /an instance has stopped/,
    tour: 'ec2',
  },
];
