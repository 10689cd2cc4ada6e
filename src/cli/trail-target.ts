/** `belfry trail target …`: binds names of buckets to folders and to S3-compatible services. */
import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import type { NewTarget } from '#server/operator/trail-targets.ts';
import { commandServer, DATA, dataFolderOf, type Subcommand } from './command.ts';
import { printList } from './list.ts';

const FOLDER: Flag = { flag: '--folder', valid: 'a folder' };
const ENDPOINT: Flag = { flag: '--endpoint', valid: 'a URL such as https://s3.example.com' };
const REGION: Flag = { flag: '--region', valid: 'a region such as us-east-1' };
const KEY_FILE: Flag = {
  flag: '--access-key-file',
  valid: "a file with the access key ID and the secret access key, or '-' for standard input",
};
const ALLOW_INTERNAL: Flag = { flag: '--allow-internal' };
const ACCOUNT_ID: Flag = { flag: '--account-id', valid: 'the ID of an account' };

const S3_FLAGS = [ENDPOINT, REGION, KEY_FILE, ALLOW_INTERNAL];

/** Lines of the help of `belfry trail`. */
export const TARGET_USAGE = `belfry trail target add NAME --folder FOLDER [--account-id ID]
belfry trail target add NAME --endpoint URL --region REGION --access-key-file FILE [--allow-internal] [--account-id ID]
                                        let trails that name the bucket NAME deliver to a folder, or to a bucket of an S3-compatible service
belfry trail target list                print the targets
belfry trail target remove NAME         remove a target; its files stay`;

/** Lines of the help about the flags. */
export const TARGET_FLAGS = `  --folder FOLDER   a folder on each server's machine; it must exist
  --access-key-file FILE   a file with the access key ID in its first line and the secret access key in its second line; '-' for standard input
  --allow-internal  let the endpoint have an internal address, and use http`;

export const targetCommand: Subcommand = {
  flags: [FOLDER, ...S3_FLAGS, ACCOUNT_ID, DATA],
  operand: 'add|list|remove [NAME]',
  async run(parsed) {
    const [action, bucket, ...others] = parsed.positionals;
    if (others.length > 0) throw new FlagError(`unexpected argument '${others[0]}'`);
    if (action === 'list' && bucket === undefined) return await list(parsed);
    if (action !== 'add' && action !== 'remove') throw new FlagError("the target command must be 'add NAME', 'list' or 'remove NAME'");
    if (bucket === undefined) throw new FlagError('missing NAME: the name of a bucket');
    if (action === 'add') {
      await commandServer(parsed, { command: 'trail target add', target: newTarget(parsed, bucket) });
      console.log(`belfry trail: trails that name the bucket '${bucket}' now deliver to the target`);
    } else {
      await commandServer(parsed, { command: 'trail target remove', bucket });
      console.log(`belfry trail: removed the target '${bucket}'`);
    }
    return 0;
  },
};

async function list(parsed: ParsedFlags): Promise<number> {
  const { targets = [] } = await commandServer(parsed, { command: 'trail target list' });
  printList(
    ['BUCKET', 'ACCOUNT ID', 'FOLDER OR ENDPOINT', 'REGION', 'ACCESS KEY ID', 'INTERNAL ADDRESSES'],
    targets.map(({ bucket, accountId = 'all', location }) => {
      if (location.kind === 'folder') return [bucket, accountId, location.path];
      return [...[bucket, accountId, location.endpoint, location.region, location.accessKeyId], location.allowInternal ? 'allowed' : ''];
    }),
  );
  return 0;
}

function newTarget(parsed: ParsedFlags, bucket: string): NewTarget {
  const { values } = parsed;
  const accountId = values.get(ACCOUNT_ID.flag);
  const common = { bucket, ...(accountId !== undefined && { accountId }) };
  const folder = values.get(FOLDER.flag);
  if (folder !== undefined) {
    const other = S3_FLAGS.find(({ flag }) => values.has(flag));
    if (other !== undefined) throw new FlagError(`${other.flag} does not apply to a folder`);
    return { ...common, location: { kind: 'folder', path: requireOwnFolder(folder, dataFolderOf(parsed)) } };
  }
  const endpoint = requireFlag(values, { ...ENDPOINT, valid: `${ENDPOINT.valid}, or --folder` });
  const region = requireFlag(values, REGION);
  const [accessKeyId, secretAccessKey] = readKey(requireFlag(values, KEY_FILE));
  return {
    ...common,
    location: { kind: 's3', endpoint, region, accessKeyId, allowInternal: values.has(ALLOW_INTERNAL.flag) },
    secretAccessKey,
  };
}

/** Returns the real path of a folder. It must not contain the data folder, or be in it, because trails choose names of files. */
function requireOwnFolder(folder: string, dataFolder: string): string {
  const path = resolve(folder);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isDirectory())
    throw new FlagError(`--folder is '${folder}'; it must be ${FOLDER.valid} that exists, and not a symbolic link`);
  const [real, data] = [realpathSync(path), realpathSync(dataFolder)];
  if (isWithin(real, data) || isWithin(data, real))
    throw new FlagError(`--folder is '${folder}'; it must be separate from the data folder`);
  return real;
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function readKey(file: string): readonly [accessKeyId: string, secretAccessKey: string] {
  const lines = readFileSync(file === '-' ? 0 : file, 'utf8')
    .trimEnd()
    .split(/\r?\n/);
  const [accessKeyId = '', secretAccessKey = ''] = lines.map((line) => line.trim());
  // The message does not quote the file, which has a secret.
  if (lines.length !== 2 || accessKeyId === '' || secretAccessKey === '')
    throw new FlagError(`${KEY_FILE.flag} must name a file with two lines: the access key ID and the secret access key`);
  return [accessKeyId, secretAccessKey];
}
