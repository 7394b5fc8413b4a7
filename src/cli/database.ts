import type { Command } from 'commander';
import { reencryptSecrets } from '../repositories/encrypted-columns.ts';
import { migrate } from '../repositories/migrate.ts';
import { loadMasterSecret, openCipher } from '../secrets/index.ts';
import { asOperator, readOperatorConfig, say } from './operator.ts';

/** What is done to the whole database. */
export function addDatabaseCommands(program: Command): void {
  program
    .command('migrate')
    .description('bring the database to this release; run it before the processes of the release start')
    .action(async () => {
      const { config, directUrl, log } = readOperatorConfig();
      const applied = await migrate({ url: directUrl, bullmq: config.broker.type === 'postgres', log });
      say(applied.length === 0 ? 'Nothing to do.' : `Applied ${applied.join(', ')}.`);
    });

  program
    .command('secrets')
    .description('stored secrets')
    .command('rotate')
    .description(
      'encrypt all stored secrets under the first key of MILLRACE_ENCRYPTION_KEYS; the others can go afterwards',
    )
    .action(() =>
      asOperator(async ({ config, db }) => {
        const cipher = openCipher(await loadMasterSecret(config), config.encryptionKeys);
        say(`Encrypted ${await reencryptSecrets(db, cipher)} secrets anew.`);
      }),
    );
}
