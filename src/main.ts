/** The command `belfry`: dispatches to the commands and loads only the code of the one that runs. */
import { prepareLoading } from './server/module-loading.ts';

prepareLoading();

const [command, ...args] = process.argv.slice(2);

const USAGE = `belfry: a self-hosted server compatible with Amazon Chime and the Amazon Chime SDK

  belfry start [--flag VALUE …]             start the server; 'belfry start --help' lists the settings
  belfry backup TARGET                      copy the SQLite database to the new folder TARGET, also while the server runs
  belfry policy test|validate|diff …        test, check and compare IAM policies; no server is needed
  belfry version                            print the version

The next commands need a running server on this machine and its data folder (--data FOLDER, or BELFRY_DATA, or ./data):

  belfry account list|create|restore-administrator|make-standalone …
  belfry operator-key rotate|forget-old …   replace the key that seals all secrets
  belfry server list|remove …               manage the servers that share one database
  belfry trail unproven                     print records of requests that prove no identity

'belfry COMMAND --help' describes one command.
`;

type Run = (args: readonly string[]) => Promise<number | undefined>;

/** Commands by name. Each loads its code when it runs. */
const COMMANDS: Readonly<Record<string, Run>> = {
  start: async (args) => (await import('./cli/start.ts')).startCommand(args),
  account: async (args) => (await import('./cli/account.ts')).accountCommand(args),
  'operator-key': async (args) => (await import('./cli/operator-key.ts')).operatorKeyCommand(args),
  server: async (args) => (await import('./cli/server.ts')).serverCommand(args),
  trail: async (args) => (await import('./cli/trail.ts')).trailCommand(args),
  backup: async (args) => (await import('./cli/backup.ts')).backupCommand(args),
  policy: async (args) => (await import('./cli/policy.ts')).policyCommand(args),
};

async function run(name: string | undefined, args: readonly string[]): Promise<number | undefined> {
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && args.length === 0)) {
    console.log(USAGE);
    return 0;
  }
  if (name === 'help') return await run(args[0], ['--help']);
  if (name === '--version' || name === '-v' || name === 'version') {
    console.log((await import('./server/version.ts')).VERSION);
    return 0;
  }
  if (Object.hasOwn(COMMANDS, name)) return await (COMMANDS[name] as Run)(args);
  console.error(`belfry: unknown command '${name}'\n\n${USAGE}`);
  return 2;
}

process.exitCode = await run(command, args);
