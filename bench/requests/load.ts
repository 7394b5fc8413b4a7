import { Agent, request } from 'node:http';
import { readFile } from 'node:fs/promises';

/** A server under load. */
export interface Side {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  readonly token: string;
}

/** What a round measured. */
export interface Load {
  readonly perSecond: number;
  /** Of the server's processor, for each request */
  readonly cpuMs: number;
}

const CONNECTIONS = 20;
/** Clock ticks of /proc in a second; the same on every Linux of today */
const TICKS = 100;

/** Asks the same again and again over some connections for a time. @throws when an answer tells of an error */
export async function load(side: Side, query: string, ms: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const body = JSON.stringify({ query });
  const [begin, cpuBefore] = [performance.now(), await cpuSeconds(side.pid)];
  let requests = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() - begin < ms) {
      await ask(side, agent, body);
      requests += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
  const [seconds, cpuAfter] = [(performance.now() - begin) / 1_000, await cpuSeconds(side.pid)];
  agent.destroy();
  return { perSecond: requests / seconds, cpuMs: ((cpuAfter - cpuBefore) * 1_000) / requests };
}

function ask({ url, token }: Side, agent: Agent, body: string): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    authorization: `Bearer ${token}`,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode === 200 && text.startsWith('{"data":{')) resolve();
        else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}
