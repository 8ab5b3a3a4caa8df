import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call as it came, of EC2's query protocol. */
export interface Ec2Call {
  readonly action: string;
  /** Of StartInstances and ModifyInstanceAttribute. */
  readonly instance: string | undefined;
  /** What StartInstances would start, and ModifyInstanceAttribute sets. */
  readonly type: string | undefined;
}

/** A refusal in EC2's words; or the connection ends, with or without the call having been carried out; or a page of HTML. */
export type Ec2Refusal =
  | { readonly code: string; readonly status?: number; readonly message?: string }
  | 'reset'
  | 'reset-after'
  | 'page';

type ShownState = 'pending' | 'running' | 'stopping';

const STATE_CODES = { pending: 0, running: 16, stopping: 64 } as const;

/** EC2 before moto: what moto does not do (refuse, be on the way from one state to another) is done here. */
export class Ec2Front {
  /** Everything that came, in order. */
  readonly calls: Ec2Call[] = [];
  /** @default nothing is refused */
  refuse: (call: Ec2Call) => Ec2Refusal | undefined = () => undefined;
  /** What DescribeInstances says of an instance instead. */
  readonly shown = new Map<string, ShownState>();
  /** When an instance was last started, where moto does not say it. */
  launchTime: Date | undefined;
  readonly #target: string;
  readonly #server: http.Server;
  readonly #types = new Map<string, string>();

  private constructor(target: string) {
    this.#target = target;
    this.#server = http.createServer((incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  /** @param target where moto is: `http://host:port` */
  static async start(target: string): Promise<Ec2Front> {
    const front = new Ec2Front(target);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    return front;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `StartInstances g4dn.xlarge` and the like, without the looks. */
  get tried(): string[] {
    return this.calls.filter(({ type }) => type).map(({ action, type }) => `${action} ${type}`);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece);
    const body = Buffer.concat(pieces).toString();
    const call = this.#readCall(new URLSearchParams(body));
    this.calls.push(call);
    const refusal = this.refuse(call) ?? this.#inTransit(call);
    if (refusal === 'reset') return void incoming.socket.resetAndDestroy();
    if (refusal === 'page')
      return void outgoing.writeHead(503).end('<html><body>Service Unavailable</body></html>');
    if (refusal && refusal !== 'reset-after') return sendError(outgoing, refusal);
    const headers = Object.entries(incoming.headers).filter(
      ([name]) => !/^(host|connection|content-length)$/.test(name),
    );
    const answer = await fetch(this.#target, {
      method: 'POST',
      headers: Object.fromEntries(headers) as Record<string, string>,
      body,
    });
    const text = await answer.text();
    if (call.action === 'ModifyInstanceAttribute' && answer.ok && call.instance && call.type) {
      this.#types.set(call.instance, call.type);
    }
    if (refusal === 'reset-after') return void incoming.socket.resetAndDestroy();
    outgoing.writeHead(answer.status, { 'content-type': 'text/xml' }).end(this.#edit(call, text));
  }

  #readCall(form: URLSearchParams): Ec2Call {
    const action = form.get('Action') ?? '';
    const instance = form.get('InstanceId.1') ?? form.get('InstanceId') ?? undefined;
    const known =
      instance && action === 'StartInstances' ? (this.#types.get(instance) ?? 'g4dn.xlarge') : undefined;
    return { action, instance, type: form.get('InstanceType.Value') ?? known };
  }

  /** What EC2 says to one that is neither stopped nor up. */
  #inTransit({ action, instance }: Ec2Call): Ec2Refusal | undefined {
    const state = this.shown.get(instance ?? '');
    if (action === 'StartInstances' && state === 'stopping') {
      const message = `The instance '${instance}' is not in a state from which it can be started.`;
      return { code: 'IncorrectInstanceState', message };
    }
    if (action === 'ModifyInstanceAttribute' && state !== undefined) {
      return {
        code: 'IncorrectInstanceState',
        message: `The instance '${instance}' is not in the 'stopped' state.`,
      };
    }
    return undefined;
  }

  #edit({ action }: Ec2Call, text: string): string {
    if (action !== 'DescribeInstances') return text;
    return text.replace(/<instanceId>(i-\w+)<\/instanceId>.*?<\/launchTime>/gs, (item, id: string) => {
      const state = this.shown.get(id);
      const named =
        state === undefined
          ? item
          : item.replace(
              /<instanceState>.*?<\/instanceState>/s,
              `<instanceState><code>${STATE_CODES[state]}</code><name>${state}</name></instanceState>`,
            );
      const { launchTime } = this;
      return launchTime
        ? named.replace(/<launchTime>.*?</, `<launchTime>${launchTime.toISOString()}<`)
        : named;
    });
  }
}

function sendError(
  outgoing: http.ServerResponse,
  { code, status = 400, message = `${code}: injected` }: Exclude<Ec2Refusal, string>,
): void {
  const error = `<Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors>`;
  outgoing.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' });
  outgoing.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Response>${error}<RequestID>test</RequestID></Response>`,
  );
}
