/** The command `belfry`: the only place where parts are chosen and joined. */
import { useCompileCache } from './server/compile-cache.ts';

useCompileCache();

const [command, ...args] = process.argv.slice(2);

const USAGE = `belfry: a communications service you run yourself, compatible with Amazon Chime

  belfry start [--flag VALUE …]     serve; belfry start --help lists the settings
  belfry account create|list|restore-administrator …
                                    at the machine of a running server only
  belfry policy test FILE …         run policy tests (*.iamtest.json)
  belfry version
`;

switch (command) {
  case 'start': {
    const { start } = await import('./server/start.ts');
    await start(args);
    break;
  }
  case 'account': {
    const { accountCommand } = await import('./cli/account.ts');
    process.exitCode = await accountCommand(args);
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
    console.error(`belfry: ${command} is no command.\n\n${USAGE}`);
    process.exitCode = 2;
}
