import { describe, expect, test, vi } from 'vitest';
import { type MachineProps, machineIsAbsent } from './machine.js';
import { callsOf, makeMachine, starts } from './make-machine.js';

// The first boot of an instance: under a real systemd, with recorders for what cannot be had here.

const absent = machineIsAbsent();
if (absent) console.log(`no machine is booted: ${absent}`);

const DIGEST = `registry.test/images@sha256:${'ab'.repeat(32)}`;
const RESOURCE = '--stack sd-turbo --resource InstancesMachine1 --region us-east-1';
const SUCCESS = `cfn-signal --success true --id i-0123456789abcdef0 ${RESOURCE}`;

// Boots of many machines at once: many times what one takes alone.
vi.setConfig({ testTimeout: 900_000 });

describe.skipIf(absent).concurrent('the first boot', () => {
  test('pulls the image, has a picture drawn, tells CloudFormation, and powers off', async () => {
    const machine = makeMachine();
    const boot = await machine.boot();
    expect(boot.end).toBe('off');
    expect(boot.calls.map((call) => call.replace(/ --env-file.*?(registry)/, ' ... $1'))).toEqual([
      'nvidia-smi --query-gpu=driver_version --format=csv,noheader',
      'docker info --format {{json .Runtimes}}',
      'aws ecr get-login-password --region us-east-1',
      'docker login --username AWS --password-stdin registry.test',
      'docker pull --quiet registry.test/images:0123',
      'docker logout registry.test',
      'docker image inspect --format {{index .RepoDigests 0}} registry.test/images:0123',
      'docker rm --force sd-turbo-self-test',
      `docker run --rm --name sd-turbo-self-test --runtime nvidia ... ${DIGEST} self-test`,
      SUCCESS,
    ]);
    expect(machine.read('/opt/sd-turbo/image')).toBe(`${DIGEST}\n`);
    expect(machine.read('/opt/sd-turbo/worker.env')).toBe('MODEL_URI=s3://weights/bundle\nIDLE_SECONDS=60\n');
  });

  test('the next one draws what waits, by the digest, and powers off; nothing is set up again', async () => {
    const machine = makeMachine();
    await machine.boot();
    const { end, calls } = await machine.boot();
    expect([end, calls.length]).toEqual(['off', 2]);
    expect(calls[0]).toBe('docker rm --force sd-turbo-worker');
    const run = calls[1] as string;
    expect(run).toMatch(/^docker run --rm --name sd-turbo-worker --runtime nvidia --env-file \S+worker.env /);
    expect(run).toMatch(new RegExp(` ${DIGEST} worker$`));
    expect(run).toMatch(/--env WORKER_NAME=i-0123456789abcdef0 --env BOOTED_AT=20\d\d-\d\d-\d\dT[\d:]{8}Z /);
    expect(run).toMatch(/--env MODEL_DIRECTORY=\/model --tmpfs \/model:\S*size=8g /);
    expect(run).toMatch(/--log-driver awslogs .*awslogs-group=sd-turbo-logs .*mode=non-blocking /);
  });

  const failures: [string, MachineProps, string][] = [
    [
      'packages cannot be had',
      { without: ['aws'], answers: { 'answers/dnf': 'echo "Error: Failed to download metadata"; exit 1\n' } },
      'packages: Error: Failed to download metadata',
    ],
    [
      'there is no GPU, and no driver to be had',
      { answers: { driver: '', 'answers/dnf': 'echo "No match for argument: nvidia-release"; exit 1\n' } },
      'driver: No match for argument: nvidia-release',
    ],
    [
      'the driver does not come up',
      { answers: { driver: '', 'answers/modprobe': 'echo "modprobe: ERROR: No such device" >&2; exit 1\n' } },
      'driver: modprobe: ERROR: No such device',
    ],
    [
      'the driver is too old, and the one that is installed is no newer',
      { answers: { driver: '550.163.01\n' } },
      'driver: driver 550, of which 580 or newer is needed',
    ],
    [
      'containers see no GPU',
      {
        answers: {
          runtimes: '{"runc":{}}\n',
          'answers/nvidia-ctk': 'echo "unable to flush config: disk full"; exit 1\n',
        },
      },
      'toolkit: unable to flush config: disk full',
    ],
    [
      'the registry refuses',
      {
        answers: {
          'answers/aws': '[ "$1" != ecr ] || { echo "AccessDenied: not authorized" >&2; exit 254; }\n',
        },
      },
      'image: AccessDenied: not authorized',
    ],
    [
      'the picture is wrong: the last line that was said, cut to what CloudFormation shows',
      {
        answers: {
          'self-test': `echo first; echo "the self-test failed: ${'x'.repeat(90)}" >&2; echo >&2; exit 1\n`,
        },
      },
      `self_test: the self-test failed: ${'x'.repeat(31)}`,
    ],
    ['it fails without a word', { answers: { 'self-test': 'exit 137\n' } }, 'self_test: nothing was said'],
    [
      'what is said has characters that no template of a shell should see',
      { answers: { 'self-test': 'echo \'bad "$(reboot)" `x` <y> é\'; exit 1\n' } },
      'self_test: bad (reboot) x y ',
    ],
  ];
  test.each(failures)('%s: the deploy is told so, and it powers off', async (_, props, reason) => {
    const boot = await makeMachine(props).boot();
    expect(boot.end).toBe('off');
    expect(callsOf(boot, 'cfn-signal')).toEqual([`cfn-signal --success false --id ${reason} ${RESOURCE}`]);
    expect(reason.length).toBeLessThanOrEqual(64);
  });

  test('the unit cannot be enabled: the same', async () => {
    const machine = makeMachine({
      unit: '',
      answers: { 'self-test': 'rm /etc/systemd/system/worker.service\n' },
    });
    const boot = await machine.boot();
    expect(boot.end).toBe('off');
    expect(callsOf(boot, 'cfn-signal')[0]).toMatch(/--success false --id units: .*worker\.service/);
  });

  test('what the machine image lacks is installed, pinned to the branch of the driver', async () => {
    const machine = makeMachine({
      without: ['docker', 'cfn-signal', 'nvidia-ctk'],
      answers: {
        driver: '',
        runtimes: '{"runc":{}}\n',
        'answers/dnf':
          'for name in docker cfn-signal nvidia-ctk; do ln -sf /stand-ins/record /usr/local/bin/$name; done\n',
        'answers/modprobe': 'echo 580.126.09 >/stand-ins/driver\n',
        'answers/nvidia-ctk': '',
      },
    });
    const boot = await machine.boot();
    expect(boot.end).toBe('off');
    expect(callsOf(boot, 'dnf').map((call) => call.replace(/kernel-devel-\S+/, 'kernel-devel-...'))).toEqual([
      'dnf install --assumeyes docker aws-cfn-bootstrap',
      'dnf install --assumeyes kernel-devel-... dkms nvidia-release',
      'dnf install --assumeyes kmod-nvidia-open-dkms-580* nvidia-driver-cuda-580* nvidia-persistenced-580*',
    ]);
    expect(callsOf(boot, 'nvidia-ctk')).toEqual(['nvidia-ctk runtime configure --runtime=docker']);
    expect(boot.calls.at(-1)).toBe(SUCCESS);
  });

  test('where cfn-signal fails the AWS CLI tells it', async () => {
    const answers = { 'answers/cfn-signal': 'exit 1\n', 'self-test': 'echo no CUDA device; exit 1\n' };
    const boot = await makeMachine({ answers }).boot();
    expect(boot.end).toBe('off');
    expect(boot.calls.at(-1)).toBe(
      'aws cloudformation signal-resource --stack-name sd-turbo --logical-resource-id InstancesMachine1 ' +
        '--unique-id self_test: no CUDA device --status FAILURE --region us-east-1',
    );
  });

  test('it does not draw what waits: that is for the first wake', async () => {
    const boot = await makeMachine({ answers: { runs: 'draws\n' } }).boot();
    expect([boot.end, starts(boot)]).toEqual(['off', 0]);
  });

  test('the agent of ECS does not start again', async () => {
    const machine = makeMachine();
    await machine.boot();
    expect(() => machine.read('/etc/systemd/system/multi-user.target.wants/ecs.service')).toThrow('ENOENT');
  });
});
