/** The command `belfry`: dispatches to the subcommands and loads only the code of the one that runs. */
import { useCompileCache } from './server/compile-cache.ts';

useCompileCache();

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

switch (command) {
  case 'start': {
    const { startCommand } = await import('./cli/start.ts');
    await startCommand(args);
    break;
  }
  case 'account': {
    const { accountCommand } = await import('./cli/account.ts');
    process.exitCode = await accountCommand(args);
    break;
  }
  case 'operator-key': {
    const { operatorKeyCommand } = await import('./cli/operator-key.ts');
    process.exitCode = await operatorKeyCommand(args);
    break;
  }
  case 'server': {
    const { serverCommand } = await import('./cli/server.ts');
    process.exitCode = await serverCommand(args);
    break;
  }
  case 'trail': {
    const { trailCommand } = await import('./cli/trail.ts');
    process.exitCode = await trailCommand(args);
    break;
  }
  case 'backup': {
    const { backupCommand } = await import('./cli/backup.ts');
    process.exitCode = backupCommand(args);
    break;
  }
  case 'policy': {
    const { policyCommand } = await import('./cli/policy.ts');
    process.exitCode = await policyCommand(args);
    break;
  }
  case '--version':
  case '-v':
  case 'version': {
    const { VERSION } = await import('./server/version.ts');
    console.log(VERSION);
    break;
  }
  case 'help':
  case '--help':
  case '-h':
  case undefined:
    console.log(USAGE);
    break;
  default:
    console.error(`belfry: unknown command '${command}'\n\n${USAGE}`);
    process.exitCode = 2;
}
