import { type Config, checkOptions } from './config.js';
import { type ObjectProps, objectProblems } from './objects.js';
import { fromProps, pathOf } from './paths.js';
import type { SdTurboProps } from './props/sd-turbo-props.js';

/** Props once they have been checked. */
export interface CheckedProps {
  /** What the command line has options for, defaults included. */
  readonly config: Config;
  /** What only a program can give. */
  readonly objects: ObjectProps;
}

/**
 * @param owner path of the construct that they are of
 * @param name of the service, where the props give none
 * @throws Error with a line for each prop that is unknown or wrong
 */
export function readProps(props: SdTurboProps, owner: string, name: string): CheckedProps {
  const { given, objects, problems: misnamed } = fromProps(props);
  const { config, problems = [] } = checkOptions({ stackName: name, ...given }, pathOf);
  const all = [...misnamed, ...problems, ...objectProblems(objects, given)];
  if (config === undefined || all.length > 0)
    throw new Error(`wrong props of SdTurbo ${owner}:\n  ${all.join('\n  ')}`);
  return { config, objects };
}
