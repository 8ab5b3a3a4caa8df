import { type BodyTarget, DirectConnection } from './direct-connection.js';
import type { DirectRequest } from './direct-request.js';

/** Fetches the bodies of large GETs over connections of its own, and keeps these for the next ones. */
export class DirectReader {
  readonly #idle = new Map<string, DirectConnection[]>();
  /** Set for good when a connection cannot be made: another client may know a way, say a proxy. */
  #unreachable = false;

  /**
   * @returns false when the answer is not of the plain kind: then the target has not been touched, and a client that
   * knows more has to ask
   * @throws whatever breaks the transfer once the answer has begun, or the reason of `signal`; nothing touches the
   * target after that
   */
  async get(request: DirectRequest, target: BodyTarget, signal: AbortSignal): Promise<boolean> {
    if (this.#unreachable) return false;
    const { origin, head } = request;
    const connection = this.#take(origin) ?? (await this.#connect(origin, signal));
    if (!connection) return false;
    const taken = await connection.get(head, target, signal);
    if (connection.reusable) this.#keep(origin, connection);
    return taken;
  }

  async #connect(origin: string, signal: AbortSignal): Promise<DirectConnection | undefined> {
    try {
      return await DirectConnection.open(new URL(origin), signal);
    } catch {
      signal.throwIfAborted();
      this.#unreachable = true;
      return undefined;
    }
  }

  #take(origin: string): DirectConnection | undefined {
    const idle = this.#idle.get(origin) ?? [];
    for (let connection = idle.pop(); connection; connection = idle.pop()) {
      if (connection.reusable) return connection;
    }
    return undefined;
  }

  #keep(origin: string, connection: DirectConnection): void {
    connection.rest();
    const idle = this.#idle.get(origin) ?? [];
    this.#idle.set(origin, [...idle, connection]);
  }
}
