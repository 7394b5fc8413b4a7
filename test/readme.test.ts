import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { statusChart } from '../src/domain/job-status.ts';
import { CONFIG_VARIABLES } from '../src/config.ts';

/** Set by `npm run dev` and the tests. */
const FOR_OUR_OWN_COMMANDS = ['MILLRACE_DEV_TOKEN'];

let readme: string;
beforeAll(async () => {
  readme = await readFile(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8');
});

describe('the README', () => {
  it('draws the life of a job as the transition table has it', () => {
    expect(readme).toContain(`\`\`\`mermaid\n${statusChart()}\n\`\`\``);
  });

  it('names every variable that an operator sets, and no other', () => {
    const table = readme.slice(readme.indexOf('## Configure it'), readme.indexOf('## Work on it'));
    const named = new Set([...table.matchAll(/`([A-Z][A-Z_]+)[=`]/g)].map(([, name]) => name));
    expect([...named].toSorted()).toEqual(
      CONFIG_VARIABLES.filter((name) => !FOR_OUR_OWN_COMMANDS.includes(name)).toSorted(),
    );
  });
});
