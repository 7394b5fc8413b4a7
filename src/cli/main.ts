import { Command } from 'commander';
import { failStart } from '../lib/entry.ts';
import { addAccessCommands } from './access.ts';
import { addDatabaseCommands } from './database.ts';

const program = new Command('millrace')
  .description(
    'What an operator does beside the running processes. Reads the same environment variables as they do.',
  )
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: true });
addDatabaseCommands(program);
addAccessCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  failStart(error);
}
