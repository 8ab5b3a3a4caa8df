// Lets esbuild drop what a function does not use of an AWS client: the shapes of every command stand in one file, and their
// computed keys count as side effects, so that all of them would stay (half a megabyte of EC2's alone).
// Plain JavaScript because it is imported before anything is compiled.

import { readFile } from 'node:fs/promises';

/** One shape: an array that begins and ends its statement. */
const SHAPE = /^((?:export )?(?:var|const) \w+\$? = )(\[.*?\]);$/gms;

/** Where the SDK writes its shapes otherwise one day, the bundles only grow. @type {import('esbuild').Plugin} */
export const PURE_SCHEMAS = {
  name: 'pure-schemas',
  setup: ({ onLoad }) => {
    onLoad({ filter: /@aws-sdk[\\/].*[\\/]schemas_\d+\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace(SHAPE, '$1/* @__PURE__ */ (() => $2)();') };
    });
  },
};
