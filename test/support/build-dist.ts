import { build } from '../../lib/cli/build.mjs';

/** Worker threads and child processes run the compiled sources: Node 20 cannot load TypeScript. */
export default build;
