import { describe } from 'vitest';
import { processWorker } from '../support/predictions/process-worker.js';
import { motoIsAbsent } from '../support/servers/moto-server.js';
import { contract } from './contract/contract.js';
import { DRAWN, type Setting } from './contract/setting.js';
import { gatewaySetting } from './gateway-setting.js';
import { lambdaFixture } from './lambda-fixture.js';

describe.skipIf(motoIsAbsent())('in AWS, where workers fetch their messages', () => {
  const fixture = lambdaFixture();

  contract(
    'the bundled Lambda handlers, two queues, and an instance that sleeps, with the worker in it',
    async (): Promise<Setting> => {
      const stack = await fixture.pull({ name: 'pulled-contract', startWorker: processWorker });
      await stack.listens();
      return {
        ...gatewaySetting(stack),
        side: 512,
        drawn: () => stack.output().match(DRAWN)?.length ?? 0,
        sleep: () => stack.machine.sleep(),
        waitsForWakes: true,
        // The fixture stops it.
        stop: async () => undefined,
      };
    },
  );
});
