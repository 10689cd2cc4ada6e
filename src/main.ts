/** The program `belfry`: runs the command that its first argument names, and loads only the code of that command. */
import { prepareLoading } from './server/module-loading.ts';

prepareLoading();

const [command, ...args] = process.argv.slice(2);

const USAGE = `belfry: a self-hosted server compatible with Amazon Chime and the Amazon Chime SDK

  belfry start [--flag VALUE …]             start the server; 'belfry start --help' lists the settings
  belfry backup TARGET                      copy the SQLite database to the new folder TARGET, also while the server runs
  belfry policy test|validate|diff …        test, check and compare IAM policies; no server is needed
  belfry policy replay|suggest …            replay recorded requests with changed policies, and suggest policies
  belfry explain REQUEST_ID                 explain the decision about a request, with the policies as they were then
  belfry compliance check                   check the configuration of accounts by rules; no server is needed
  belfry compliance report --out FOLDER     write a report for an audit; no server is needed
  belfry trail status|prove|verify …        show and check the transparency log of trail records; no server is needed
  belfry trail serve-tiles …                serve the transparency log to monitors over HTTP; no server is needed
  belfry trail check-proof PREFIX …         check a proof of one record; no server and no database is needed
  belfry trail verify-files …               check delivered log files of trails; no server is needed
  belfry witness start|add-log …            run a witness of transparency logs; no server is needed
  belfry aws-data-path --endpoint URL       write a data folder for commands of the AWS CLI that call several services
  belfry chime mail [FILE]                  list or print mail that the server wrote to its data folder
  belfry chime import|disabled-accounts|restore-account …   import users and rooms, restore a deleted account
  belfry chime OPERATION …                  call an operation that the server adds to Amazon Chime
  belfry sip config FOLDER                  write the configuration of the SIP proxy of Voice Connectors; no server is needed
  belfry version                            print the version

The next commands need a running server on this machine and its data folder (--data FOLDER, or BELFRY_DATA, or ./data):

  belfry account list|create|restore-administrator|make-standalone …
  belfry operator-key rotate|forget-old …   replace the key that encrypts all secrets
  belfry bucket remove-policy BUCKET        remove the policy of a bucket that denies everyone
  belfry server list|remove …               manage the servers that share one database
  belfry trail unproven                     print records of requests without a proven identity
  belfry trail retention|set-retention …    show and set how long trail records stay
  belfry trail target add|list|remove …     let trails deliver to a folder, or to an S3-compatible service
  belfry endpoint add|list|remove …         let the server send messages to queues, topics, functions and streams
  belfry numbers import|list|remove …       manage the inventory of phone numbers
  belfry trail restored --reason TEXT       name the records that a restore from a backup lost

'belfry COMMAND --help' describes one command.
`;

type Run = (args: readonly string[]) => Promise<number | undefined>;

/** Commands by name. Each loads its code when it runs. */
const COMMANDS: Readonly<Record<string, Run>> = {
  start: async (args) => (await import('./cli/start.ts')).startCommand(args),
  account: async (args) => (await import('./cli/account.ts')).accountCommand(args),
  'operator-key': async (args) => (await import('./cli/operator-key.ts')).operatorKeyCommand(args),
  bucket: async (args) => (await import('./cli/bucket.ts')).bucketCommand(args),
  server: async (args) => (await import('./cli/server.ts')).serverCommand(args),
  trail: async (args) => (await import('./cli/trail.ts')).trailCommand(args),
  endpoint: async (args) => (await import('./cli/endpoint.ts')).endpointCommand(args),
  chime: async (args) => (await import('./cli/chime.ts')).chimeCommand(args),
  numbers: async (args) => (await import('./cli/numbers.ts')).numbersCommand(args),
  'aws-data-path': async (args) => (await import('./cli/aws-data-path.ts')).awsDataPathCommand(args),
  backup: async (args) => (await import('./cli/backup.ts')).backupCommand(args),
  explain: async (args) => (await import('./cli/explain.ts')).explainCommand(args),
  policy: async (args) => (await import('./cli/policy.ts')).policyCommand(args),
  compliance: async (args) => (await import('./cli/compliance.ts')).complianceCommand(args),
  sip: async (args) => (await import('./cli/sip.ts')).sipCommand(args),
  witness: async (args) => (await import('./cli/witness.ts')).witnessCommand(args),
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
  console.error(
    `belfry: unknown command '${name}' (commands: ${Object.keys(COMMANDS).join(', ')})\nbelfry: 'belfry --help' describes the commands`,
  );
  return 2;
}

/** Exit status of a command whose reader closed the pipe, such as `head`: that of a program that SIGPIPE ends. */
const CLOSED_PIPE = 141;

// The server runs on without a reader of its first lines.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (command !== 'start') process.exit(CLOSED_PIPE);
});

process.exitCode = await run(command, args);
