import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeDurably } from '#server/durable-file.ts';
import { askControl, type ControlRequest } from '#server/operator/control.ts';
import { misuse, wantsHelp } from './help.ts';

const USAGE = `belfry account list
belfry account create --name NAME [--profile PROFILE]
belfry account restore-administrator --account-id ID [--profile PROFILE]   break-glass: runs only on this machine, recorded in the trail
belfry account make-standalone --account-id ID   allow an account that an organization created to leave it

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)
  --profile       writes the new administrator's access key to this profile in aws/credentials of the data folder;
                  without it, the command prints the key once
`;

/** Rule of a subcommand that a call without the right flags breaks. */
const RULES = {
  create: 'requires --name NAME',
  'restore-administrator': 'requires --account-id ID',
  'make-standalone': 'requires --account-id ID',
};

/** Runs `belfry account …`, the operator's commands for accounts. Runs on the server's machine. Resolves to the exit status. */
export async function accountCommand(args: readonly string[]): Promise<number> {
  if (wantsHelp(args)) {
    console.log(USAGE);
    return 0;
  }
  const [command, ...rest] = args;
  let options: { name?: string; 'account-id'?: string; profile?: string; data?: string };
  try {
    options = parseArgs({
      args: rest,
      options: { name: { type: 'string' }, 'account-id': { type: 'string' }, profile: { type: 'string' }, data: { type: 'string' } },
    }).values as typeof options;
  } catch (error) {
    console.error(`belfry account: ${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const request = requestOf(command, options);
  if (request === undefined) {
    console.error(`${misuse('account', command, RULES)}${USAGE}`);
    return 2;
  }
  if (options.profile !== undefined && !/^[A-Za-z0-9_.-]{1,64}$/.test(options.profile)) {
    console.error(`belfry account: invalid --profile '${options.profile}'; use 1 to 64 letters, digits, '_', '.' and '-'`);
    return 2;
  }
  const dataFolder = resolve(options.data ?? process.env['BELFRY_DATA'] ?? './data');
  try {
    const reply = await askControl(dataFolder, request);
    if (!reply.ok) throw new Error(reply.error);
    for (const account of reply.accounts ?? []) console.log(`${account.accountId}  ${account.name}`);
    if (request.command === 'account make-standalone')
      console.log(`belfry account: account '${request.accountId}' can now leave its organization`);
    const { administrator } = reply;
    if (administrator === undefined) return 0;
    console.log(`account ${administrator.accountId}: administrator ${administrator.userName}, access key ${administrator.accessKeyId}`);
    if (options.profile === undefined) console.log(`secret access key (shown only once): ${administrator.secretAccessKey}`);
    else console.log(`secret access key: in ${addProfile(dataFolder, options.profile, administrator)}, profile '${options.profile}'`);
    return 0;
  } catch (error) {
    console.error(`belfry account: ${(error as Error).message}`);
    return 1;
  }
}

function requestOf(command: string | undefined, options: { name?: string; 'account-id'?: string }): ControlRequest | undefined {
  if (command === 'list') return { command: 'account list' };
  if (command === 'create' && options.name !== undefined) return { command: 'account create', name: options.name };
  if (command === 'restore-administrator' && options['account-id'] !== undefined) {
    return { command: 'account restore-administrator', accountId: options['account-id'] };
  }
  if (command === 'make-standalone' && options['account-id'] !== undefined) {
    return { command: 'account make-standalone', accountId: options['account-id'] };
  }
  return undefined;
}

/** Adds or replaces a profile in `aws/config` and `aws/credentials` of the data folder. Returns the path of the credentials file. */
function addProfile(dataFolder: string, profile: string, key: { readonly accessKeyId: string; readonly secretAccessKey: string }): string {
  const folder = join(dataFolder, 'aws');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = join(folder, 'config');
  const credentials = join(folder, 'credentials');
  const first = read(config).split(/^\[profile /m)[1] ?? '';
  // A data folder that was restored from a backup has no profiles yet.
  const settings = first.slice(first.indexOf('\n') + 1).trimEnd() || `region = ${process.env['BELFRY_REGION'] ?? 'us-east-1'}`;
  replaceSection(config, `profile ${profile}`, settings);
  replaceSection(credentials, profile, `aws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}`);
  return credentials;
}

function replaceSection(file: string, name: string, lines: string): void {
  const kept = read(file)
    .split(/^(?=\[)/m)
    .filter((section) => section !== '' && !section.startsWith(`[${name}]`));
  // Durable, because the file may hold the only copy of other administrators' secrets.
  writeDurably(file, [...kept.map((section) => `${section.trimEnd()}\n`), `[${name}]\n${lines}\n`].join('\n'));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
