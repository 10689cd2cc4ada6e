import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '#server/durable-file.ts';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import type { ControlRequest } from '#server/operator/ask-control.ts';
import { commandServer, DATA, dataFolderOf, runCommand, type Subcommand } from './command.ts';
import { printList } from './list.ts';

const USAGE = `belfry account list
belfry account create --name NAME [--profile PROFILE]
belfry account restore-administrator --account-id ID [--profile PROFILE]   create a new administrator (break-glass); recorded in the trail
belfry account make-standalone --account-id ID   allow an account to leave the organization that created it

  --data FOLDER   the data folder of the running server (default: BELFRY_DATA, or ./data)
  --profile       writes the new administrator's access key to this profile in aws/credentials of the data folder;
                  without it, the command prints the key once
`;

const NAME: Flag = { flag: '--name', valid: 'a name of 1 to 50 characters' };
const ACCOUNT_ID: Flag = { flag: '--account-id', valid: 'the ID of an account' };
const PROFILE: Flag = { flag: '--profile', valid: 'the name of a profile' };

const PROFILE_NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Runs `belfry account …`, the operator's commands for accounts. Runs on the server's machine. Resolves to the exit status. */
export function accountCommand(args: readonly string[]): Promise<number> {
  return runCommand('account', USAGE, SUBCOMMANDS, args);
}

const SUBCOMMANDS: Readonly<Record<string, Subcommand>> = {
  list: {
    flags: [DATA],
    async run(parsed) {
      const { accounts = [] } = await commandServer(parsed, { command: 'account list' });
      printList(
        ['ACCOUNT ID', 'NAME'],
        accounts.map(({ accountId, name }) => [accountId, name]),
      );
      return 0;
    },
  },
  create: {
    flags: [NAME, PROFILE, DATA],
    run: (parsed) => addAdministrator(parsed, { command: 'account create', name: requireFlag(parsed.values, NAME) }),
  },
  'restore-administrator': {
    flags: [ACCOUNT_ID, PROFILE, DATA],
    run: (parsed) =>
      addAdministrator(parsed, { command: 'account restore-administrator', accountId: requireFlag(parsed.values, ACCOUNT_ID) }),
  },
  'make-standalone': {
    flags: [ACCOUNT_ID, DATA],
    async run(parsed) {
      const accountId = requireFlag(parsed.values, ACCOUNT_ID);
      await commandServer(parsed, { command: 'account make-standalone', accountId });
      console.log(`belfry account: account '${accountId}' can now leave its organization`);
      return 0;
    },
  },
};

/**
 * Sends a command that creates an administrator, and prints the administrator's access key or writes the key into a
 * profile.
 */
async function addAdministrator(parsed: ParsedFlags, request: ControlRequest): Promise<number> {
  const profile = parsed.values.get(PROFILE.flag);
  if (profile !== undefined && !PROFILE_NAME.test(profile)) {
    throw new FlagError(`--profile is '${profile}'; it must be 1 to 64 letters, digits, '_', '.' and '-'`);
  }
  const { administrator } = await commandServer(parsed, request);
  if (administrator === undefined)
    throw new Error('the server did not return the access key of the new administrator; the administrator may have been created');
  const { accountId, userName, accessKeyId, secretAccessKey } = administrator;
  console.log(`belfry account: account '${accountId}' has the administrator '${userName}' with the access key '${accessKeyId}'`);
  if (profile === undefined) console.log(`belfry account: the secret access key, shown only once, is ${secretAccessKey}`);
  else
    console.log(
      `belfry account: the secret access key is in the profile '${profile}' of '${addProfile(dataFolderOf(parsed), profile, administrator)}'`,
    );
  return 0;
}

/** Adds or replaces a profile in `aws/config` and `aws/credentials` of the data folder. Returns the path of the credentials file. */
function addProfile(dataFolder: string, profile: string, key: { readonly accessKeyId: string; readonly secretAccessKey: string }): string {
  const folder = join(dataFolder, 'aws');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = join(folder, 'config');
  const credentials = join(folder, 'credentials');
  const first = read(config).split(/^\[profile /m)[1] ?? '';
  // Copies the settings of the first profile. A data folder that was restored from a backup has no profile yet, so the
  // new profile gets only a region.
  const settings = first.slice(first.indexOf('\n') + 1).trimEnd() || `region = ${process.env['BELFRY_REGION'] ?? 'us-east-1'}`;
  replaceSection(config, `profile ${profile}`, settings);
  replaceSection(credentials, profile, `aws_access_key_id = ${key.accessKeyId}\naws_secret_access_key = ${key.secretAccessKey}`);
  return credentials;
}

function replaceSection(file: string, name: string, lines: string): void {
  const kept = read(file)
    .split(/^(?=\[)/m)
    .filter((section) => section !== '' && !section.startsWith(`[${name}]`));
  // Writes the file durably, because it may hold the only copy of other administrators' secrets.
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
