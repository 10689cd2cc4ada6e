/** `belfry trail verify-files`: verifies delivered log files and digests without the server. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { counted } from '#core/counted.ts';
import { type DeliveredRecord, deliveredRecord } from '#delivery/delivered-record.ts';
import { verifyFiles } from '#delivery/verify-files.ts';
import { type Flag, FlagError, type ParsedFlags, requireFlag } from '#server/flags.ts';
import { openReadOnly } from '#store/engine/read-only.ts';
import { DATA, dataFolderOf, type Subcommand } from './command.ts';
import { printable } from './printable.ts';

const FOLDER: Flag = { flag: '--folder', valid: 'a folder with the files of one bucket' };
const KEYS: Flag = { flag: '--keys', valid: "a file with the output of 'aws cloudtrail list-public-keys'" };
const DATABASE: Flag = { flag: '--database', valid: 'file:FOLDER or postgres://…' };

/** Lines of the help of `belfry trail`. */
export const FILES_USAGE = `belfry trail verify-files --folder FOLDER [--keys FILE | --database URL]
                                        check delivered files against their digests; exit status 1 if a file was changed or removed`;

/** Lines of the help about the flags. */
export const FILES_FLAGS = `  --keys FILE       verify-files: public keys, as 'aws cloudtrail list-public-keys' prints them; then no database is read
  --database URL    verify-files: the database, if it is not in the data folder (default: BELFRY_DATABASE)`;

/** Problems that the command prints. The exit status counts all. */
const PRINTED_MAX = 100;

export const filesCommand: Subcommand = {
  flags: [FOLDER, KEYS, DATA, DATABASE],
  async run(parsed) {
    const folder = resolve(requireFlag(parsed.values, FOLDER));
    const { digests, logs, problems, notes } = await verifyFiles(folder, await recordFor(parsed));
    for (const note of notes) console.log(`note: ${printable(note)}`);
    for (const { key, problem } of problems.slice(0, PRINTED_MAX))
      console.error(`belfry trail verify-files: '${printable(key)}' ${printable(problem)}`);
    if (problems.length > PRINTED_MAX)
      console.error(`belfry trail verify-files: ${counted(problems.length - PRINTED_MAX, 'further problem')}`);
    console.log(`checked ${digests} digests and ${logs} log files`);
    if (digests === 0 && problems.length === 0) {
      console.error(
        `belfry trail verify-files: found no digests in '${folder}'; it must be a copy of a whole bucket, with the folder AWSLogs or the prefix of the trail`,
      );
      return 1;
    }
    const [first] = problems;
    console.log(first === undefined ? 'the files are intact' : `the files are NOT intact; the first bad file is '${printable(first.key)}'`);
    return first === undefined ? 0 : 1;
  },
};

async function recordFor(parsed: ParsedFlags): Promise<DeliveredRecord> {
  const file = parsed.values.get(KEYS.flag);
  if (file === undefined) {
    const setting = parsed.values.get(DATABASE.flag) ?? process.env['BELFRY_DATABASE'] ?? `file:${dataFolderOf(parsed)}`;
    const database = await openReadOnly(setting);
    try {
      return await deliveredRecord(database.sql);
    } finally {
      await database.close();
    }
  }
  if (parsed.values.has(DATABASE.flag) || parsed.values.has(DATA.flag))
    throw new FlagError(`${KEYS.flag} cannot be combined with a database`);
  return { publicKeys: readKeys(file) };
}

/** Reads the output of ListPublicKeys. */
function readKeys(file: string): ReadonlyMap<string, Uint8Array> {
  const invalid = (): never => {
    throw new FlagError(`${KEYS.flag} is '${file}'; it must be ${KEYS.valid}`);
  };
  try {
    const { PublicKeyList } = JSON.parse(readFileSync(file, 'utf8')) as { readonly PublicKeyList?: unknown };
    if (!Array.isArray(PublicKeyList)) return invalid();
    return new Map(
      PublicKeyList.map(({ Fingerprint, Value }: { readonly Fingerprint?: unknown; readonly Value?: unknown }) =>
        typeof Fingerprint === 'string' && typeof Value === 'string' ? ([Fingerprint, Buffer.from(Value, 'base64')] as const) : invalid(),
      ),
    );
  } catch (error) {
    if (error instanceof SyntaxError) return invalid();
    throw error;
  }
}
