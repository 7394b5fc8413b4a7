import type { Command } from 'commander';
import { createFirstAdmin, createOrganization } from '../auth/first-admin.ts';
import { toPublicId } from '../domain/ids.ts';
import { asOperator, say } from './operator.ts';

/** Who may come in first: all others are let in by them, over the API. */
export function addAccessCommands(program: Command): void {
  program
    .command('organization')
    .description('organizations')
    .command('create')
    .description('make an organization; prints its id')
    .requiredOption('--name <name>', 'for people')
    .option('--time-zone <zone>', 'IANA name; days begin and end in it', 'UTC')
    .option('--currency <code>', 'ISO 4217', 'EUR')
    .option('--external-id <id>', 'the name under which tokens of the identity provider know it')
    .action((options: unknown) =>
      asOperator(async ({ db }) => {
        say(toPublicId('organization', await createOrganization(db, options)));
      }),
    );

  program
    .command('admin')
    .description('admins')
    .command('create')
    .description('make a person an admin of an organization; prints an API key of theirs, this once')
    .requiredOption('--organization <id>', '"org_…", or the identity provider\'s name for it')
    .requiredOption('--email <address>', 'that the identity provider knows them by')
    .requiredOption('--name <name>', 'for people')
    .action((options: unknown) =>
      asOperator(async ({ db }) => {
        say((await createFirstAdmin(db, options)).token);
      }),
    );
}
