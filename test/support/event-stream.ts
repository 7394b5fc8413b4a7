export interface StreamEvent {
  readonly event: string;
  readonly data: unknown;
}

/** The events of an answer, as the HTML standard reads an event stream; comments are left out. */
export async function* readEvents(response: Response): AsyncGenerator<StreamEvent, void> {
  if (!response.body) throw new Error('the answer has no body');
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    yield* blocks.map(readEvent).filter((event) => event !== null);
  }
}

function readEvent(block: string): StreamEvent | null {
  const fields = block
    .split('\n')
    .map((line) => /^(event|data): ?(.*)$/.exec(line))
    .filter((match) => match !== null);
  const valueOf = (name: string) => fields.find((match) => match[1] === name)?.[2];
  const [event, data] = [valueOf('event'), valueOf('data')];
  if (event === undefined) return null;
  return { event, data: data ? (JSON.parse(data) as unknown) : null };
}
