/** The command `belfry`: selects a command and loads its code. */
import { useCompileCache } from './server/compile-cache.ts';

useCompileCache();

const [command, ...args] = process.argv.slice(2);

const USAGE = `belfry: a self-hosted communications server, compatible with Amazon Chime

  belfry start [--flag VALUE …]     starts a server; belfry start --help lists the settings
  belfry account create|list|restore-administrator|make-standalone …
  belfry operator-key rotate|forget-old …
  belfry server list|remove …       servers on one database
  belfry trail unproven             records of requests that prove no identity
                                    (these four run only on the machine of a running server)
  belfry backup TARGET              copies the SQLite database consistently, while the server runs
  belfry policy test FILE …         runs policy tests (*.iamtest.json)
  belfry version
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
  case 'version': {
    const { VERSION } = await import('./server/version.ts');
    console.log(VERSION);
    break;
  }
  case 'help':
  case '--help':
  case undefined:
    console.log(USAGE);
    break;
  default:
    console.error(`belfry: unknown command '${command}'\n\n${USAGE}`);
    process.exitCode = 2;
}
