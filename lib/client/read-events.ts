/** An event of a stream. Source: HTML, 9.2, "Server-sent events". */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  /** Of this one, or the last that had one. */
  readonly id: string | undefined;
}

export function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}

/** The events of an answer as they come; one that has not come whole is none. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent, void> {
  let id: string | undefined;
  for await (const block of readBlocks(response)) {
    const fields = block.split(/\r\n|\r|\n/).map((line) => /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []);
    const all = (name: string) => fields.filter((field) => field[1] === name).map((field) => field[2] ?? '');
    id = all('id').at(-1) ?? id;
    const data = all('data');
    if (data.length > 0) yield { event: all('event').at(-1) || 'message', data: data.join('\n'), id };
  }
}

/** What stands between empty lines. */
async function* readBlocks(response: Response): AsyncGenerator<string, void> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      text += decoder.decode(value, { stream: !done });
      // The second half of an end may still be on its way.
      const blocks = text.split(/\r\n\r\n|\n\n|\r\r/);
      text = blocks.pop() ?? '';
      yield* blocks;
      if (done) return;
    }
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}
