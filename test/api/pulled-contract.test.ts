import { describe } from 'vitest';
import { scriptedWorker } from '../support/predictions/pulling-worker.js';
import { SCRIPTED_SIDE, ScriptedEndpoint } from '../support/predictions/scripted-endpoint.js';
import { motoIsAbsent } from '../support/servers/moto-server.js';
import { contract } from './contract/contract.js';
import type { Setting } from './contract/setting.js';
import { gatewaySetting } from './gateway-setting.js';
import { lambdaFixture } from './lambda-fixture.js';

describe.skipIf(motoIsAbsent())('in AWS, where workers fetch their messages', () => {
  const fixture = lambdaFixture();
  const endpoint = new ScriptedEndpoint();

  contract(
    'the bundled Lambda handlers, two queues, and an instance that sleeps',
    async (): Promise<Setting> => {
      const stack = await fixture.pull({ name: 'pulled-contract', startWorker: scriptedWorker(endpoint) });
      await stack.listens();
      return {
        ...gatewaySetting(stack),
        side: SCRIPTED_SIDE,
        drawn: () => endpoint.drawn,
        sleep: () => stack.machine.sleep(),
        waitsForWakes: true,
        // The fixture stops it.
        stop: async () => undefined,
      };
    },
  );
});
