/** `belfry trail check-proof`: checks a proof of one record offline. */
import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { decodeTrailLeaf } from '#core/trail-leaf.ts';
import { type Flag, FlagError, requireFlag } from '#server/flags.ts';
import { leafHash } from '#tlog/hash.ts';
import { type NoteKey, parseVkey } from '#tlog/note-key.ts';
import { PROOF_SUFFIX, parseProof, verifyProof } from '#tlog/proof.ts';
import type { Subcommand } from './command.ts';

const KEY: Flag = { flag: '--key', valid: 'the public key (vkey) of the log, and those of witnesses, separated by commas' };

/** Lines of the help of `belfry trail`. */
export const PROOF_USAGE = `belfry trail check-proof PREFIX --key LOG-VKEY[,WITNESS-VKEY,…]
                                        check PREFIX${PROOF_SUFFIX} with PREFIX.leaf and PREFIX.json offline; exit status 1 if it proves nothing`;
/** Lines of the help about the flags. */
export const PROOF_FLAGS =
  '  --key …           check-proof: the key of the log, and of each witness that must have cosigned, separated by commas';

/** Files of a proof, as `belfry trail prove` writes them. The record is optional. */
interface ProofFiles {
  readonly proof: string;
  readonly leaf: Uint8Array;
  readonly record?: Uint8Array;
}

export const proofCommand: Subcommand = {
  flags: [KEY],
  operand: 'PREFIX',
  run({ positionals, values }) {
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new FlagError('specify one proof');
    const keys = requireFlag(values, KEY).split(',').map(readKey);
    const prefix = file.endsWith(PROOF_SUFFIX) ? file.slice(0, -PROOF_SUFFIX.length) : file;
    const record = `${prefix}.json`;
    const files = {
      proof: readFileSync(`${prefix}${PROOF_SUFFIX}`, 'utf8'),
      leaf: readFileSync(`${prefix}.leaf`),
      ...(existsSync(record) && { record: readFileSync(record) }),
    };
    return checkProof(files, keys, (line) => console.log(`belfry trail: ${line}`));
  },
};

/**
 * Checks a proof with the keys of the log and of all witnesses that must have cosigned. Returns the exit status.
 *
 * @throws Error  a file has another format, or the proof shows nothing. The message is one line
 */
function checkProof({ proof, leaf, record }: ProofFiles, keys: readonly NoteKey[], print: (line: string) => void): number {
  const [logKey, ...otherLogs] = keys.filter(({ type }) => type === 'log');
  if (logKey === undefined || otherLogs.length > 0)
    throw new FlagError(`${KEY.flag} must have the key of one log; it has ${keys.length} keys`);
  const { writer, number, at, sha256 } = decodeTrailLeaf(leaf);
  if (record !== undefined && !hash('sha256', record, 'buffer').equals(sha256))
    throw new Error('the record is not the one of the leaf: its SHA-256 differs from the end of the leaf');
  const witnessKeys = keys.filter(({ type }) => type !== 'log');
  const verdict = verifyProof(parseProof(proof), leafHash(leaf), { logKey, witnessKeys, threshold: witnessKeys.length });
  if (!verdict.valid) throw new Error(`the proof is not valid: ${verdict.reason}`);
  const { index, size, witnessedSeconds } = verdict;
  print(
    `record ${number} of the writer ${writer}, written ${new Date(at).toISOString()}, is at index ${index} of the log '${logKey.name}' with ${size} leaves`,
  );
  print(
    witnessedSeconds === undefined
      ? 'only the log signed this; specify the keys of its witnesses too'
      : `${witnessKeys.map(({ name }) => `'${name}'`).join(' and ')} had cosigned this by ${new Date(witnessedSeconds * 1_000).toISOString()}`,
  );
  if (record === undefined) print('there is no file with the record, so only its leaf was checked');
  return 0;
}

function readKey(text: string): NoteKey {
  try {
    return parseVkey(text);
  } catch (error) {
    throw new FlagError(`${KEY.flag} is '${text}': ${(error as Error).message}`);
  }
}
