import { backendProblems } from './backend-options.js';
import type { Config } from './options-schema.js';
import type { Problem } from './problem.js';

/** What a bundle is made of: of no effect where `modelUri` names a finished one. */
const IMPORT_OPTIONS = [
  'model',
  'revision',
  'taesd',
  'taesdRevision',
  'dialect',
  'precision',
  'imageToImage',
  'keepWeights',
];

/** What is right alone, but not together. */
export function contradictions(config: Config, given: object): Problem[] {
  const { taesd, decoder, monthlyBudget, alarmEmail, modelUri } = config;
  const problems: Problem[] = backendProblems(config, given);
  if (config.fallbackInstanceTypes?.includes(config.instanceType))
    problems.push(['fallbackInstanceTypes', `${config.instanceType} is the {instanceType} already`]);
  if (config.backend === 'sagemaker') problems.push(...scalingProblems(config, given));
  if (config.dialect === 'cuda' && config.precision !== 'float16')
    problems.push(['precision', '{dialect} cuda computes in float16']);
  if (decoder === 'taesd' && taesd === 'none' && !modelUri) problems.push(['decoder', '{taesd} is none']);
  if (monthlyBudget !== undefined && !alarmEmail) problems.push(['monthlyBudget', 'needs {alarmEmail}']);
  for (const name of IMPORT_OPTIONS)
    if (modelUri && name in given) problems.push([name, '{modelUri} names a finished bundle']);
  return problems;
}

function scalingProblems(config: Config, given: object): Problem[] {
  const problems: Problem[] = [];
  const { minCopies, maxInstances } = config;
  if (minCopies > maxInstances) problems.push(['minCopies', `is more than {maxInstances} (${maxInstances})`]);
  if (config.warmHours && minCopies > 0)
    problems.push(['warmHours', '{minCopies} keeps a copy up at all hours']);
  if ('timeZone' in given && !config.warmHours)
    problems.push(['timeZone', 'says nothing without {warmHours}']);
  if (!config.subnetIds !== !config.securityGroupIds)
    problems.push(['subnetIds', 'go together with {securityGroupIds}']);
  return problems;
}
